using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Kernels.Hopper;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>
/// Puts attention of decode steps as Hopper's kernels do it in the place of attention in splits: one plan for the step, then parts and their combination in each layer.
/// </summary>
internal sealed class DecodeInParts
{
    private readonly Dictionary<Value, MlaDecodePartsOp> _byPartial = [];
    private readonly Value _lengths, _starts;
    private int _next;

    private DecodeInParts(int next, Value lengths)
    {
        (_next, _lengths) = (next, lengths);
        _starts = New(DType.I32, lengths.Type.Rows + 1);
    }

    /// <summary>The graph as it is where its widths are not those of the kernel.</summary>
    public static ModelGraph Of(ModelGraph graph)
    {
        if (graph.Ops.OfType<MlaDecodeOp>().FirstOrDefault(Fits) is not { } first) return graph;
        var decode = new DecodeInParts(graph.NextId, first.Lengths);
        return graph with { Ops = [new MlaDecodePlanOp(first.Lengths, decode._starts) { Origin = first.Origin, Work = first.Work }, .. graph.Ops.Select(decode.Replace)] };
    }

    private Op Replace(Op op) => op switch
    {
        MlaDecodeOp decode when Fits(decode) && decode.Lengths == _lengths => Decode(decode) with { Layer = op.Layer, Origin = op.Origin, Work = op.Work },
        MlaCombineOp combine when _byPartial.TryGetValue(combine.Partial, out var parts) => Combine(combine, parts) with { Layer = op.Layer, Origin = op.Origin, Work = op.Work },
        _ => op,
    };

    private static bool Fits(MlaDecodeOp op) => op.Query.Type.Type == DType.BF16 && MlaDecode.Fits(op.Mla.KvRank, op.Mla.NopeDim, op.Mla.RopeDim, op.Page);

    private MlaDecodePartsOp Decode(MlaDecodeOp op)
    {
        var (rows, mla) = (op.Query.Type.Rows, op.Mla);
        var parts = Math.Max(1, HopperGpu.Multiprocessors / ((mla.Heads + MlaDecode.TileRows - 1) / MlaDecode.TileRows));
        var made = new MlaDecodePartsOp(
            op.QueryLatent, op.Query, op.Cache, op.Pages, op.Lengths, _starts, mla, op.Scale, parts,
            New(DType.BF16, rows, mla.Heads * mla.KvRank), New(DType.F32, rows, mla.Heads), New(DType.F32, 2 * parts, mla.Heads * mla.KvRank), New(DType.F32, 2 * parts, mla.Heads));
        _byPartial.Add(op.Partial, made);
        return made;
    }

    private MlaCombinePartsOp Combine(MlaCombineOp op, MlaDecodePartsOp of) =>
        new(of.Partial, of.PartialLse, of.Starts, of.Result, of.Lse, op.Heads, of.Parts, op.Result, New(DType.F32, of.Lse.Type.Rows, op.Heads));

    private Temporary New(DType type, params Dim[] shape) => new(_next++, new TensorType(type, shape));
}
