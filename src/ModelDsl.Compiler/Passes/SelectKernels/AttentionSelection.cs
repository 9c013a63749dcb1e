using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Attention;
using ModelDsl.Compiler.Kernels.Cache;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Kernels.Rope;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>The core of attention and its cache.</summary>
internal static class AttentionSelection
{
    public static LaunchOp RopeQuery(RopeQueryOp op)
    {
        var rows = op.Query.Type.Rows;
        var kernel = new RopeQueryKernel(op.Heads, op.NopeDim, op.RopeDim, op.Query.Type.Type);
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.Query, op.Cos, op.Sin, op.Positions).Size(rows).Build(), rows);
    }

    public static LaunchOp LatentCache(LatentCacheOp op)
    {
        var rows = op.Kv.Type.Rows;
        var rank = op.Weight.Type.Width;
        var kernel = new LatentCacheKernel(rank, op.Kv.Type.Width - rank, op.Epsilon, op.Kv.Type.Type) { Fp8 = IsFp8(op.Cache) ? ScaleRounding.PowerOfTwo : null };
        var arguments = new Arguments().Tensors(op.Kv, op.Weight, op.Cos, op.Sin, op.Positions, op.Slots, op.Cache).Size(rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }

    public static LaunchOp Gather(CacheGatherOp op)
    {
        var rows = op.Latent.Type.Rows;
        var kernel = new CacheGatherKernel(op.Latent.Type.Width, op.Key.Type.Width, op.Page, op.Key.Type.Type, Quantize: null) { Fp8 = IsFp8(op.Cache) };
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.Cache, op.Pages, op.Latent, op.Key).Size(rows).Build(), rows);
    }

    public static LaunchOp GatherQuantize(GatherQuantizeOp op)
    {
        var rows = op.Latent.Type.Rows;
        var kernel = new CacheGatherKernel(op.Latent.Type.Width, op.Key.Type.Width, op.Page, op.Key.Type.Type, op.Rounding) { Fp8 = IsFp8(op.Cache) };
        var arguments = new Arguments().Tensors(op.Cache, op.Pages).WithScales(op.Latent).Tensor(op.Key).Size(rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }

    /// <param name="hopper">By tensor maps and wgmma, where the widths allow it.</param>
    public static LaunchOp Prefill(MlaPrefillOp op, bool hopper)
    {
        var (rows, mla) = (op.Query.Type.Rows, op.Mla);
        Kernel kernel = hopper && op.Query.Type.Type == DType.BF16 && MlaPrefill.Fits(mla.NopeDim, mla.RopeDim, mla.VDim)
            ? new MlaPrefill(mla.Heads, mla.NopeDim, mla.RopeDim, mla.VDim, op.Scale)
            : new MlaPrefillKernel(mla.Heads, mla.NopeDim, mla.RopeDim, mla.VDim, op.Scale, op.Query.Type.Type);
        var arguments = new Arguments().Tensors(op.Query, op.Kv, op.Key, op.Result).Size(rows).Size(op.Kv.Type.Rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }

    public static LaunchOp Decode(MlaDecodeOp op)
    {
        var rows = op.Query.Type.Rows;
        var mla = op.Mla;
        var kernel = new MlaDecodeKernel(
            mla.Heads, mla.KvRank, mla.NopeDim, mla.RopeDim, op.Page, op.SplitPages, op.Scale, op.Query.Type.Type);
        var arguments = new Arguments()
            .Tensors(op.QueryLatent, op.Query, op.Cache, op.Pages, op.Lengths, op.Partial, op.Lse)
            .Size(Dim.MaxPages).Size(Dim.Splits).Size(rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }

    public static LaunchOp Plan(MlaDecodePlanOp op)
    {
        var rows = op.Lengths.Type.Rows;
        return new LaunchOp(op, new MlaDecodePlan(), new Arguments().Tensors(op.Lengths, op.Starts).Size(rows).Build(), rows);
    }

    public static LaunchOp Parts(MlaDecodePartsOp op)
    {
        var rows = op.Query.Type.Rows;
        var kernel = new MlaDecode(op.Mla.Heads, Queries: 1, op.Mla.NopeDim, op.Scale, op.Parts) { Fp8Cache = IsFp8(op.Cache) };
        var arguments = new Arguments()
            .Tensors(op.QueryLatent, op.Query, op.Cache, op.Pages, op.Lengths, op.Starts, op.Result, op.Lse, op.Partial, op.PartialLse)
            .Size(Dim.MaxPages).Size(rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }

    public static LaunchOp CombineParts(MlaCombinePartsOp op)
    {
        var rows = op.Result.Type.Rows;
        var arguments = new Arguments().Tensors(op.Partial, op.PartialLse, op.Starts, op.Result, op.Lse).Size(rows);
        return new LaunchOp(op, new MlaDecodeCombine(op.Heads, op.Parts), arguments.Build(), rows);
    }

    public static LaunchOp Combine(MlaCombineOp op)
    {
        var rows = op.Result.Type.Rows;
        var kernel = new MlaCombineKernel(op.Heads, op.Partial.Type.Width, op.Result.Type.Type);
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.Partial, op.Lse, op.Result).Size(Dim.Splits).Size(rows).Build(), rows);
    }

    /// <summary>Powers of two as scales: what is read back as BF16 is then what was written, not rounded again.</summary>
    private static bool IsFp8(Value cache) => cache.Type.Type == DType.E4M3;
}
