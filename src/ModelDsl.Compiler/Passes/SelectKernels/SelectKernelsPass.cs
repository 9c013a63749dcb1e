using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>Turns every op but views into a launch of a kernel.</summary>
public sealed class SelectKernelsPass
{
    public static Pass Declaration { get; } = new(
        "select-kernels",
        "Maps every op to a kernel and its arguments",
        "Specialises a kernel for each op's shapes and formats and lists what its parameters get. Products that have few rows at "
        + "the limits of the plan (a small decode batch, the last logits) get the kernel that streams weights, others the one with tiles; dense FP8 products on sm_90a "
        + "the one that a model of their times expects to be the fastest, as are products of experts and attention where widths allow for tensor copies and wgmma. Runs on fused graphs: RoPE of the key, the "
        + "cache write and the choice of experts exist as fused kernels only.",
        [
            new PassOption("gemm", "Shape of products: auto, tile or skinny", "auto"),
            new PassOption("hopper", "Kernels of its own for sm_90a: on or off", "on"),
        ],
        (graph, context) => new SelectKernelsPass(graph, context).Run());

    private readonly ModelGraph _graph;
    private readonly GemmSelection _gemm;
    private readonly Dictionary<int, Op> _makers = [];
    private readonly Dictionary<int, int> _tileRows = [];

    private SelectKernelsPass(ModelGraph graph, PassContext context)
    {
        _gemm = new GemmSelection(graph, context);
        _graph = _gemm.HasHopper ? DecodeInParts.Of(graph) : graph;
        if (context.Limits.Fp8Cache) _graph = CacheInFp8.Of(_graph);
        foreach (var op in _graph.Ops)
        {
            foreach (var result in op.Results) _makers.Add(((Temporary)result).Id, op);
            if (op is GroupedLinearOp grouped) NoteTileRows(grouped);
        }
    }

    private ModelGraph Run() =>
        _graph with { Ops = [.. _graph.Ops.Select(op => Select(op) with { Layer = op.Layer, Origin = op.Origin })] };

    private Op Select(Op op) => op switch
    {
        SliceColumnsOp or TailRowsOp or LaunchOp => op,
        EmbeddingOp embedding => StreamSelection.Embedding(embedding),
        AddOp add => StreamSelection.Add(add),
        ConcatColumnsOp concat => StreamSelection.Concat(concat),
        RmsNormOp norm => StreamSelection.RmsNorm(norm, RowStride(norm.X), _gemm.AtMost(norm.X.Type.Rows)),
        FusedNormOp norm => StreamSelection.FusedNorm(norm, RowStride(norm.X), _gemm.AtMost(norm.X.Type.Rows)),
        QuantizeOp quantize => StreamSelection.Quantize(quantize),
        SwiGluOp swiglu => StreamSelection.SwiGlu(swiglu),
        LinearOp linear => _gemm.Linear(linear),
        GroupedLinearOp grouped => _gemm.Grouped(grouped),
        HeadGemmOp absorb => GemmSelection.Head(absorb),
        RopeQueryOp rope => AttentionSelection.RopeQuery(rope),
        LatentCacheOp write => AttentionSelection.LatentCache(write),
        CacheGatherOp gather => AttentionSelection.Gather(gather),
        GatherQuantizeOp gather => AttentionSelection.GatherQuantize(gather),
        MlaPrefillOp attention => AttentionSelection.Prefill(attention, _gemm.HasHopper),
        MlaDecodeOp attention => AttentionSelection.Decode(attention),
        MlaCombineOp combine => AttentionSelection.Combine(combine),
        MlaDecodePlanOp plan => AttentionSelection.Plan(plan),
        MlaDecodePartsOp attention => AttentionSelection.Parts(attention),
        MlaCombinePartsOp combine => AttentionSelection.CombineParts(combine),
        GateOp gate => MoeSelection.Gate(gate),
        DispatchOp dispatch => MoeSelection.Dispatch(dispatch, _tileRows[((Temporary)dispatch.TileExpert).Id]),
        PermuteOp permute => MoeSelection.Permute(permute),
        CombineOp combine => MoeSelection.Combine(combine),
        ArgmaxOp argmax => SamplingSelection.Argmax(argmax),
        TopPOp sample => SamplingSelection.TopP(sample),
        _ => throw new PassException($"No kernel computes {op.Mnemonic} by itself.", "Let fuse run before select-kernels."),
    };

    /// <summary>One tile list serves all products of a block, so their tiles must agree.</summary>
    private void NoteTileRows(GroupedLinearOp grouped)
    {
        var list = ((Temporary)grouped.TileExpert).Id;
        var rows = _gemm.GroupedKernel(grouped).TileRows;
        if (_tileRows.TryGetValue(list, out var noted) && noted != rows)
            throw new InvalidOperationException($"Products with tiles of {noted} and {rows} rows share {grouped.TileExpert}.");
        _tileRows[list] = rows;
    }

    private int RowStride(Value x) =>
        x is Temporary temporary && _makers.TryGetValue(temporary.Id, out var maker) && maker is SliceColumnsOp slice
            ? slice.X.Type.Width
            : x.Type.Width;
}
