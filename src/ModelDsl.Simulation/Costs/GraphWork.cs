using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

/// <summary>
/// FLOPs and bytes of a forward graph's ops and of what their gradients need: a product for the input's and one for the weight's, attention's
/// five for its two, the elementwise ops once more with what they read again, the casts of both gradients' operands, and what the policy
/// recomputes.
/// </summary>
internal sealed class GraphWork(PrecisionSpec precision, int sequence)
{
    private const double Bf16 = 2;
    private const double Fp32 = 4;

    /// <summary>E4M3 with an FP32 scale for every 128 values.</summary>
    private const double Fp8 = 1 + 4 / 128.0;

    private readonly HashSet<string> _recompute = precision.Cache is { } cache ? [.. cache.Recompute] : [];

    /// <summary>A layer, cut where tokens leave for their experts.</summary>
    public BlockWork Layer(ImmutableArray<Op> ops, FeedForwardSpec spec)
    {
        var cut = Cut(ops);
        var latents = ops.Take(cut).OfType<RmsNormOp>().Select(norm => norm.X.Type.Width).Where(width => width != WidestNorm(ops)).ToHashSet();
        return new BlockWork(
            spec is MoeSpec ? BlockKind.Moe : BlockKind.Dense, Half(ops[..cut], latents), Half(ops[cut..], []), Weights(ops), spec);
    }

    /// <summary>What belongs to no layer: all of it counts as feed-forward.</summary>
    public BlockWork Outside(BlockKind kind, ImmutableArray<Op> ops) => new(kind, HalfWork.None, Half(ops, []), Weights(ops), null);

    /// <summary>Behind the router, or behind the norm after attention.</summary>
    private static int Cut(ImmutableArray<Op> ops)
    {
        var router = LastIndex(ops, op => op is SelectExpertsOp);
        return router >= 0 ? router + 1 : LastIndex(ops, op => op is RmsNormOp) + 1;
    }

    private static int LastIndex(ImmutableArray<Op> ops, Func<Op, bool> wanted)
    {
        for (var i = ops.Length - 1; i >= 0; i--)
            if (wanted(ops[i]))
                return i;
        return -1;
    }

    private static int WidestNorm(ImmutableArray<Op> ops) => ops.OfType<RmsNormOp>().Max(norm => norm.X.Type.Width);

    /// <param name="latents">Widths of the latents that MLA's up-projections start from.</param>
    private HalfWork Half(ImmutableArray<Op> ops, HashSet<int> latents)
    {
        var (forward, input, weight) = (new List<KernelWork>(), new List<KernelWork>(), new List<KernelWork>());
        foreach (var op in ops)
        {
            var made = Forward(op);
            forward.AddRange(made);
            if (IsRecomputed(op, latents)) input.AddRange(made);
            input.AddRange(BackwardInput(op));
            weight.AddRange(BackwardWeight(op));
        }
        return new HalfWork([.. forward], [.. input], [.. weight]);
    }

    private bool IsRecomputed(Op op, HashSet<int> latents) => op switch
    {
        RmsNormOp => _recompute.Contains("norm"),
        RopeQueryOp => _recompute.Contains("mla_up"),
        LinearOp { Part: null } product => _recompute.Contains("mla_up") && latents.Contains(product.X.Type.Width),
        _ => false,
    };

    private IEnumerable<KernelWork> Forward(Op op) => op switch
    {
        LinearOp product => [Product(product.X, product.Weight, product.Result, false)],
        GroupedLinearOp product => [Product(product.X, product.Weight, product.Result, true)],
        MlaPrefillOp attention => [Attention(WorkClass.AttentionForward, attention, 1, 1, 1)],
        RmsNormOp norm => [Moved(WorkClass.Norm, norm.X, norm.Result)],
        // The part without position stays where it is.
        RopeQueryOp rope => [new KernelWork(WorkClass.Rope, 0, 2 * Bytes(rope.Result) * rope.RopeDim / (rope.NopeDim + rope.RopeDim))],
        RopeKeyOp rope => [Moved(WorkClass.Rope, rope.Key, rope.Result)],
        SwiGluOp swiglu => [Moved(WorkClass.Swiglu, swiglu.X, swiglu.Result) with { Routed = IsRouted(swiglu.X) }],
        // A row is read once for every expert that gets it.
        PermuteOp permute => [Moved(WorkClass.Permute, permute.Result, permute.Result) with { Routed = true }],
        CombineOp combine => [Moved(WorkClass.Permute, combine.Y, combine.Result) with { Routed = true }],
        QuantizeOp cast => [Moved(WorkClass.Cast, cast.X, cast.Result) with { Routed = IsRouted(cast.X) }],
        EmbeddingOp lookup => [Moved(WorkClass.Stream, lookup.Result, lookup.Result)],
        // Pages belong to serving: training attends to what it has just made.
        CacheWriteOp or CacheGatherOp or SliceColumnsOp or TailRowsOp => [],
        _ => [new KernelWork(WorkClass.Stream, 0, op.Operands.Where(value => value is not WeightValue).Concat(op.Results).Sum(Bytes))],
    };

    private IEnumerable<KernelWork> BackwardInput(Op op)
    {
        switch (op)
        {
            case LinearOp product:
                foreach (var work in InputGradient(product.X, product.Weight, product.Result, false)) yield return work;
                if (product.Part == ModelPart.OutputHead) yield return new KernelWork(WorkClass.Stream, 0, 2 * Bytes(product.Result));
                break;
            case GroupedLinearOp product:
                foreach (var work in InputGradient(product.X, product.Weight, product.Result, true)) yield return work;
                break;
            case MlaPrefillOp attention:
                yield return Attention(WorkClass.AttentionBackward, attention, 3, 2, 2);
                break;
            case RmsNormOp or RopeQueryOp or RopeKeyOp or AddOp or ConcatColumnsOp:
                foreach (var work in Forward(op)) yield return work with { Bytes = work.Bytes * (op is RmsNormOp ? 1.5 : 1) };
                break;
            case SwiGluOp swiglu:
                // Reads both inputs and the gradient, writes both gradients; the result is made again on the way.
                yield return new KernelWork(WorkClass.Swiglu, 0, Elements(swiglu.Result) * 5 * Bf16, Routed: IsRouted(swiglu.X));
                break;
            case PermuteOp or CombineOp:
                var rows = op is PermuteOp permute ? Elements(permute.Result) : Elements(((CombineOp)op).Y);
                yield return new KernelWork(WorkClass.Permute, 0, rows * 2 * Bf16, Routed: true);
                break;
        }
    }

    private IEnumerable<KernelWork> BackwardWeight(Op op)
    {
        switch (op)
        {
            case LinearOp product:
                foreach (var work in WeightGradient(product.X, product.Weight, product.Result, false)) yield return work;
                break;
            case GroupedLinearOp product:
                foreach (var work in WeightGradient(product.X, product.Weight, product.Result, true)) yield return work;
                break;
            case EmbeddingOp lookup:
                yield return new KernelWork(WorkClass.Stream, 0, Elements(lookup.Result) * (Bf16 + 2 * Fp32));
                break;
        }
    }

    private KernelWork Product(Value x, Value weight, Value result, bool routed)
    {
        var (m, n, k) = (Rows(x), (int)weight.Type.Shape[^2].Constant!.Value, x.Type.Width);
        return new KernelWork(
            (weight.Type.IsQuantised, routed) switch
            {
                (true, true) => WorkClass.Fp8GroupedGemm,
                (true, false) => WorkClass.Fp8Gemm,
                _ => WorkClass.WideGemm,
            }, 2.0 * m * n * k, Bytes(x) + Bytes(result), Bytes(weight), n, k, routed);
    }

    private IEnumerable<KernelWork> InputGradient(Value x, Value weight, Value result, bool routed)
    {
        var forward = Product(x, weight, result, routed);
        yield return forward with { N = forward.K, K = forward.N };
        // The gradient is read once and written in tiles along its rows, for this product, and along its columns, for the weight's.
        if (weight.Type.IsQuantised) yield return new KernelWork(WorkClass.Cast, 0, Rows(x) * forward.N * (Bf16 + 2 * Fp8), Routed: routed);
    }

    private IEnumerable<KernelWork> WeightGradient(Value x, Value weight, Value result, bool routed)
    {
        var forward = Product(x, weight, result, routed);
        var fp8 = weight.Type.IsQuantised;
        yield return forward with
        {
            Class = fp8 ? WorkClass.Fp8WeightGradient : forward.Class,
            Bytes = Bytes(x) + Rows(x) * forward.N * (fp8 ? Fp8 : Bf16),
            WeightBytes = 2 * Fp32 * Elements(weight),
        };
        if (fp8) yield return new KernelWork(WorkClass.Cast, 0, 2 * Elements(x) * Fp8, Routed: routed);
    }

    private KernelWork Attention(WorkClass kind, MlaPrefillOp op, int ofKeys, int ofValues, int passes) => new(
        kind, (double)op.Mla.Heads * (ofKeys * op.Mla.QkDim + ofValues * op.Mla.VDim) * sequence * sequence,
        passes * (Bytes(op.Query) + Bytes(op.Kv) + Bytes(op.Key) + Bytes(op.Result)));

    private KernelWork Moved(WorkClass kind, Value from, Value to) => new(kind, 0, Bytes(from) + Bytes(to));

    private bool IsRouted(Value value) => Rows(value) > sequence;

    private static ImmutableArray<BlockWeights> Weights(ImmutableArray<Op> ops) =>
    [
        .. ops.SelectMany(op => op.Operands.OfType<WeightValue>().Select(value => (value.Weight, op)))
            .DistinctBy(use => use.Weight.Key)
            .GroupBy(use => (use.Weight.Type, Routed: use.Weight.IsStacked, Shared: use.op is EmbeddingOp or LinearOp { Part: ModelPart.OutputHead }))
            .Select(group => new BlockWeights(group.Key.Type, group.Sum(use => (double)use.Weight.Parameters), group.Key.Routed, group.Key.Shared)),
    ];

    private double Rows(Value value) => value.Type.Rows.Evaluate(_ => sequence);

    private double Elements(Value value) => value.Type.Elements.Evaluate(_ => sequence);

    private double Bytes(Value value) => Elements(value) * (value.Type.IsQuantised ? Fp8 : value.Type.Type.Bytes());
}
