using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>The last sum, the last norm and the output head; of the wanted rows only, unless all of them are to be looked at.</summary>
internal static class HeadLowering
{
    /// <param name="blocks">How many are behind the stream; names it.</param>
    /// <param name="norm">The last norm's weight.</param>
    /// <param name="stream">The stream before the last sum.</param>
    /// <param name="pending">What the last block adds to it; null: nothing is left to add.</param>
    public static void Lower(LoweringContext context, WeightNames weights, int blocks, WeightTensor norm, Value stream, Value? pending)
    {
        var (taps, drafts) = (context.Options.Taps, context.Options.Drafts);
        var cut = !context.IsDecode && !taps && !drafts;
        if (cut)
        {
            stream = Tail(context, stream);
            pending = pending is null ? null : Tail(context, pending);
        }

        if (pending is not null)
        {
            stream = context.Add(stream, pending);
            context.Tap($"hidden.{blocks}", stream);
        }

        var normalised = context.RmsNorm(stream, norm, context.Model.NormEpsilon);
        context.Tap($"hidden.{(blocks > context.Model.Layers.Count ? "mtp_norm" : "norm")}", normalised);
        if (drafts) context.Graph.Output(StepOutput.Hidden, normalised);
        if (!cut && !context.IsDecode) normalised = Tail(context, normalised);
        context.Graph.Output(StepOutput.Logits, context.Linear(normalised, weights.Head, ModelPart.OutputHead));
    }

    private static Value Tail(LoweringContext context, Value value)
    {
        var tail = context.New(Dim.LogitRows, value.Type.Width);
        context.Graph.Add(new TailRowsOp(value, tail));
        return tail;
    }
}
