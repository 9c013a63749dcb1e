using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Training;

namespace ModelDsl.Simulation.Costs;

/// <summary>
/// FLOPs and bytes of a training graph's ops as kernels run them: sums of gradients in the products that make them, scaling of rows and what is
/// made again of one operand in the kernels that read it; casts where FP8 products read what is not in their tiles yet.
/// </summary>
internal sealed class GraphWork
{
    private const double Fp32 = 4;

    /// <summary>E4M3 with an FP32 scale for every 128 values.</summary>
    private const double Fp8 = 1 + 4 / 128.0;

    private readonly ModelSpec _model;
    private readonly OpCosts _costs;
    private readonly RankRows _rows;
    private readonly bool _isFp8;
    private readonly double _wide;
    private readonly Dictionary<int, Op> _makers;
    private readonly HashSet<int> _deferred;
    private readonly HashSet<(int Value, Work Work)> _cast = [];

    public GraphWork(TrainingGraph graph, RankRows rows)
    {
        (_model, _rows, _costs) = (graph.Model, rows, new OpCosts(graph.Precision, rows.Own));
        _isFp8 = graph.Precision.Gemm.IsFp8;
        _wide = graph.Precision.Gemm.Format == NumberFormat.Fp32 ? Fp32 : 2;
        _makers = graph.Graph.Ops.SelectMany(op => op.Results.Select(result => (((Temporary)result).Id, op))).ToDictionary(made => made.Id, made => made.op);
        _deferred = [.. graph.Deferred.Select(value => value.Value.Id)];
    }

    /// <summary>Kernels of ops, in their order.</summary>
    public HalfWork Of(ImmutableArray<Op> ops)
    {
        var halves = ops.SelectMany(op => Kernels(op).Concat(Casts(op)).Select(kernel => (op.Work, kernel))).ToLookup(made => made.Work, made => made.kernel);
        return new HalfWork([.. halves[Work.Forward]], [.. halves[Work.InputGradient]], [.. halves[Work.WeightGradient]]);
    }

    /// <summary>Weights that a block's forward reads.</summary>
    public ImmutableArray<BlockWeights> Weights(ImmutableArray<Op> ops) =>
    [
        .. ops.Where(op => op.Work == Work.Forward).SelectMany(op => op.Operands.OfType<WeightValue>().Select(value => (value.Weight, op)))
            .DistinctBy(use => use.Weight.Key)
            .GroupBy(use => (
                Type: TypeOf(use.op), Routed: use.Weight.IsStacked, Divided: ParallelLayout.IsDivided(use.Weight),
                Shared: use.op is EmbeddingOp or LinearOp { Part: ModelPart.OutputHead }))
            .Select(group => new BlockWeights(
                group.Key.Type, group.Sum(use => (double)use.Weight.Parameters), group.Key.Routed, group.Key.Divided, group.Key.Shared)),
    ];

    private DType TypeOf(Op reader) => _costs.IsFp8(reader) ? DType.E4M3
        : _wide == Fp32 || reader is not (LinearOp { Part: not ModelPart.Router } or EmbeddingOp) ? DType.F32 : DType.BF16;

    private IEnumerable<KernelWork> Kernels(Op op) => op switch
    {
        LinearOp product => [Product(op, product.X, product.Weight, product.Result)],
        GroupedLinearOp product => [Product(op, product.X, product.Weight, product.Result)],
        LinearGradOp product => [Product(op, product.Gradient, product.Weight, product.Result)],
        GroupedLinearGradOp product => [Product(op, product.Gradient, product.Weight, product.Result)],
        LinearWeightGradOp product => [WeightGradient(op, product.X, product.Gradient, product.Result)],
        GroupedLinearWeightGradOp product => [WeightGradient(op, product.X, product.Gradient, product.Result)],
        MlaPrefillOp core => [Attention(op, WorkClass.AttentionForward, core.Mla, 1, 1)],
        MlaGradOp core => [Attention(op, WorkClass.AttentionBackward, core.Mla, 3, 2)],
        // The part without position stays where it is.
        RopeQueryOp rope => [Moved(WorkClass.Rope, 2 * Elements(rope.Result) * _wide * rope.RopeDim / (rope.NopeDim + rope.RopeDim))],
        RopeKeyOp => [Moved(WorkClass.Rope, Activations(op))],
        { IsRecomputed: true } => [],
        RmsNormOp or RmsNormGradOp or RmsNormWeightGradOp => [Moved(WorkClass.Norm, Activations(op))],
        SwiGluOp or SwiGluGradOp => [Moved(WorkClass.Swiglu, Activations(op)) with { Routed = _rows.IsRouted(op.Operands[0]) }],
        // A row is read once for every expert that gets it.
        PermuteOp permute => [Moved(WorkClass.Permute, 2 * Elements(permute.Result) * (_isFp8 ? Fp8 : _wide)) with { Routed = true }],
        UnpermuteOp back => [Moved(WorkClass.Permute, (Elements(back.Y) + Elements(back.Result)) * _wide) with { Routed = true }],
        EmbeddingOp lookup => [Moved(WorkClass.Stream, 2 * Elements(lookup.Result) * _wide)],
        EmbeddingGradOp lookup => [Moved(WorkClass.Stream, Elements(lookup.Gradient) * (_wide + 2 * Fp32))],
        ScaleRowsOp or ScaleRowsGradOp or AccumulateGradientOp or AccumulateLoadOp or SplitColumnsOp or ShiftRowsOp or OwnRowsOp => [],
        AllGatherOp or ReduceScatterOp or AllReduceOp => [new KernelWork(WorkClass.NodeExchange, 0, _costs.Of(op).WireBytes)],
        _ => [Moved(WorkClass.Stream, Activations(op))],
    };

    private KernelWork Product(Op op, Value x, Value weight, Value result)
    {
        var (rows, n, k, fp8, routed) = (_rows.Of(x), result.Type.Width, x.Type.Width, _costs.IsFp8(op), weight.Type.Rank == 3);
        return new KernelWork(
            fp8 ? routed ? WorkClass.Fp8GroupedGemm : WorkClass.Fp8Gemm : WorkClass.WideGemm, 2.0 * rows * n * k,
            Elements(x) * (fp8 ? Fp8 : Width(x)) + Elements(result) * Width(result), Elements(weight) * (fp8 ? Fp8 : _wide), n, k, routed);
    }

    private KernelWork WeightGradient(Op op, Value x, Value gradient, Value result)
    {
        var (rows, n, k, fp8) = (_rows.Of(x), gradient.Type.Width, x.Type.Width, _costs.IsFp8(op));
        return new KernelWork(
            fp8 ? WorkClass.Fp8WeightGradient : WorkClass.WideGemm, 2.0 * rows * n * k,
            Elements(x) * (fp8 ? Fp8 : Width(x)) + Elements(gradient) * (fp8 ? Fp8 : Width(gradient)), 2 * Fp32 * Elements(result), n, k,
            result.Type.Rank == 3);
    }

    private KernelWork Attention(Op op, WorkClass kind, MlaSpec mla, int ofKeys, int ofValues) => new(
        kind, (double)mla.Heads * (ofKeys * mla.QkDim + ofValues * mla.VDim) * _rows.Sequence * _rows.Sequence, Activations(op));

    /// <summary>
    /// What FP8 products read, tiled along their sums. A value fresh from another kernel is quantised, before its rows are copied; a gradient that its weight
    /// waits for in the other direction, too. What was kept since the forward is turned.
    /// </summary>
    private IEnumerable<KernelWork> Casts(Op op)
    {
        if (!_costs.IsFp8(op)) yield break;
        foreach (var operand in op.Operands)
        {
            if (operand is not Temporary value || operand.Type.Type == DType.I32) continue;
            var maker = _makers[value.Id];
            var fresh = maker.Work == op.Work;
            var source = fresh && maker is PermuteOp { X: Temporary before } ? before : value;
            if (!_cast.Add((source.Id, op.Work)) || !fresh && maker.Work != Work.Forward) continue;
            var bytes = fresh ? Elements(source) * (_wide + Fp8) : Elements(value) * 2 * Fp8;
            if (fresh && _deferred.Contains(value.Id)) bytes += Elements(value) * (source == value ? 1 : 2) * Fp8;
            yield return Moved(WorkClass.Cast, bytes) with { Routed = _rows.IsRouted(value) };
        }
    }

    private static KernelWork Moved(WorkClass kind, double bytes) => new(kind, 0, bytes);

    /// <summary>Operands but weights and tables, and results.</summary>
    private double Activations(Op op) =>
        op.Operands.Where(value => value is Temporary).Concat(op.Results).Sum(value => Elements(value) * Width(value));

    /// <summary>Logits, scores and gradients of weights are FP32.</summary>
    private double Width(Value value) =>
        value.Type.Type == DType.I32 || value.Type.Rank < 2 || value.Type.Rows.Constant is not null || value.Type.Width == _model.Vocabulary ? Fp32 : _wide;

    private double Elements(Value value) => _rows.Elements(value);
}
