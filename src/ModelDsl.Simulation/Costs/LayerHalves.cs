using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

/// <summary>Cuts a layer's training ops where tokens leave for their experts: the norm after attention and the router belong to attention.</summary>
internal static class LayerHalves
{
    private const string NormAfterAttention = ".post_attention_norm";

    public static (ImmutableArray<Op> Attention, ImmutableArray<Op> FeedForward) Of(ImmutableArray<Op> ops)
    {
        ImmutableArray<Op> Half(Work work) => [.. ops.Where(op => op.Work == work)];
        var (forward, input, weight) = (Half(Work.Forward), Half(Work.InputGradient), Half(Work.WeightGradient));
        var sent = Last(forward, op => op is SelectExpertsOp);
        if (sent < 0) sent = Last(forward, op => op is RmsNormOp { Weight: var norm } && IsNormAfterAttention(norm));
        // Backward runs the other way: what came after the cut comes first.
        var back = First(input, op => op is SelectExpertsGradOp or BalanceLossGradOp || op is RmsNormGradOp { Weight: var norm } && IsNormAfterAttention(norm));
        var summed = First(weight, op => op is LinearWeightGradOp { Part: ModelPart.Router });
        if (summed == weight.Length)
            summed = First(weight, op => op is AccumulateGradientOp { Before: StateValue { Weight.Key: var key } } && key.EndsWith(NormAfterAttention, StringComparison.Ordinal));
        return (
            [.. forward[..(sent + 1)], .. input[back..], .. weight[summed..]],
            [.. forward[(sent + 1)..], .. input[..back], .. weight[..summed]]);
    }

    private static bool IsNormAfterAttention(Value norm) =>
        norm is WeightValue { Weight.Key: var key } && key.EndsWith(NormAfterAttention, StringComparison.Ordinal);

    private static int Last(ImmutableArray<Op> ops, Func<Op, bool> wanted)
    {
        for (var i = ops.Length - 1; i >= 0; i--)
            if (wanted(ops[i]))
                return i;
        return -1;
    }

    /// <returns>The length where there is none.</returns>
    private static int First(ImmutableArray<Op> ops, Func<Op, bool> wanted)
    {
        for (var i = 0; i < ops.Length; i++)
            if (wanted(ops[i]))
                return i;
        return ops.Length;
    }
}
