using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>Matrix products. The shape follows from how many rows there can be: the host never chooses.</summary>
internal sealed class GemmSelection(ModelGraph graph, PassContext context)
{
    /// <summary>Up to this many rows, streaming the weights past them beats tiles: those would be mostly empty.</summary>
    private const int FewRows = 16;

    /// <summary>The same for what an expert gets on average; its rows are never even.</summary>
    private const int FewRowsPerExpert = 8;

    /// <summary>Average rows of an expert up to which tiles have 64 of them.</summary>
    private const int FewRowsPerTile = 96;

    /// <summary>Whether kernels of Hopper's own may be taken.</summary>
    public bool HasHopper { get; } = context.IsOn("hopper") && context.Target == PtxTarget.Sm90a;

    private readonly string _forced = context["gemm"] is "auto" or "tile" or "skinny"
        ? context["gemm"]
        : throw new PassException($"select-kernels: option gemm is '{context["gemm"]}'.", "It is auto, tile or skinny.");

    public LaunchOp Linear(LinearOp op)
    {
        var (n, k) = (checked((int)op.Weight.Type.Rows.Constant!.Value), op.X.Type.Width);
        var shape = Shape(op.X.Type.Rows, FewRows);
        if (op.X.Type.IsQuantised && HasHopper && _forced != "skinny" && Fp8Gemm.Fits(n, k, op.Result.Type.Type)) return Hopper(op, n, k);
        if (IsBf16(op) && HasHopper && shape == GemmShape.Tile && Bf16Gemm.Fits(n, k, op.Result.Type.Type)) return HopperBf16(op, n, k);
        Kernel kernel = op.X.Type.IsQuantised
            ? new Fp8GemmKernel(n, k, op.Result.Type.Type, shape)
            : new GemmKernel(n, k, op.X.Type.Type, op.Weight.Type.Type, op.Result.Type.Type, shape);
        var rows = op.X.Type.Rows;
        return new LaunchOp(op, kernel, new Arguments().WithScales(op.X).WithScales(op.Weight).Tensor(op.Result).Size(rows).Build(), rows);
    }

    /// <summary>The same by tensor maps and warpgroups, for any number of rows.</summary>
    private LaunchOp Hopper(LinearOp op, int n, int k)
    {
        var rows = op.X.Type.Rows;
        var kernel = Fp8GemmChoice.Best(AtMost(rows), n, k, op.Result.Type.Type, HopperGpu.Assumed);
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.X, op.Weight, op.Result).Scales(op.X).Scales(op.Weight).Size(rows).Build(), rows);
    }

    private static bool IsBf16(LinearOp op) => op is { X.Type: { IsQuantised: false, Type: DType.BF16 }, Weight.Type: { IsQuantised: false, Type: DType.BF16 } };

    private LaunchOp HopperBf16(LinearOp op, int n, int k)
    {
        var rows = op.X.Type.Rows;
        var kernel = Bf16GemmChoice.Rank(AtMost(rows), n, k, op.Result.Type.Type, HopperGpu.Assumed)[0].Kernel;
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.X, op.Weight, op.Result).Size(rows).Build(), rows);
    }

    public LaunchOp Grouped(GroupedLinearOp op)
    {
        var rows = op.X.Type.Rows;
        if (GroupedKernel(op).Kernel is Fp8Gemm hopper)
        {
            var maps = new Arguments().Tensors(op.X, op.Weight, op.Result).Scales(op.X).Scales(op.Weight);
            return new LaunchOp(op, hopper, maps.Tensors(op.Result, op.Offsets, op.TileExpert, op.TileRow).Size(rows).Build(), rows);
        }
        var arguments = new Arguments()
            .WithScales(op.X).WithScales(op.Weight).Tensors(op.Result, op.Offsets, op.TileExpert, op.TileRow).Size(rows);
        return new LaunchOp(op, GroupedKernel(op).Kernel, arguments.Build(), rows);
    }

    /// <summary>The kernel of a grouped product, and how many rows its tiles have.</summary>
    public (Kernel Kernel, int TileRows) GroupedKernel(GroupedLinearOp op)
    {
        var experts = checked((int)op.Weight.Type.Shape[0].Constant!.Value);
        var (n, k) = (checked((int)op.Weight.Type.Shape[1].Constant!.Value), op.X.Type.Width);
        var shape = Shape(op.X.Type.Rows, FewRowsPerExpert * experts);
        if (shape == GemmShape.Tile && HasHopper && graph.Ops.OfType<GroupedLinearOp>().Where(other => other.TileExpert == op.TileExpert).All(FitsHopper))
        {
            var tile = AtMost(op.X.Type.Rows) <= (long)FewRowsPerTile * experts ? Fp8GemmTile.FewRows : Fp8GemmTile.Middle;
            return (new Fp8Gemm(n, k, op.Result.Type.Type, tile, HopperGpu.Multiprocessors) { Groups = new ListedGroups(experts) }, tile.Rows);
        }

        if (op.X.Type.IsQuantised)
        {
            var quantised = new GroupedFp8GemmKernel(experts, n, k, op.Active, op.Result.Type.Type, shape);
            return (quantised, quantised.TileRows);
        }

        var wide = new GroupedGemmKernel(experts, n, k, op.Active, op.X.Type.Type, op.Weight.Type.Type, op.Result.Type.Type, shape);
        return (wide, wide.TileRows);
    }

    /// <summary>Products that share a list of tiles have to agree on one kind of kernel.</summary>
    private static bool FitsHopper(GroupedLinearOp op) =>
        op.X.Type.IsQuantised && Fp8Gemm.Fits(checked((int)op.Weight.Type.Shape[1].Constant!.Value), op.X.Type.Width, op.Result.Type.Type);

    public static LaunchOp Head(HeadGemmOp op)
    {
        var mla = op.Mla;
        var block = (mla.NopeDim + mla.VDim) * mla.KvRank;
        var io = op.X.Type.Type;
        var kernel = op.Absorption == Absorption.Query
            ? new HeadGemmKernel(
                mla.Heads, N: mla.KvRank, K: mla.NopeDim, ARow: mla.Heads * mla.QkDim, AHead: mla.QkDim, WHead: block, WOffset: 0,
                Transposed: true, CRow: mla.Heads * mla.KvRank, CHead: mla.KvRank, io)
            : new HeadGemmKernel(
                mla.Heads, N: mla.VDim, K: mla.KvRank, ARow: mla.Heads * mla.KvRank, AHead: mla.KvRank, WHead: block,
                WOffset: mla.NopeDim * mla.KvRank, Transposed: false, CRow: mla.Heads * mla.VDim, CHead: mla.VDim, io);
        var rows = op.X.Type.Rows;
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.X, op.Weight, op.Result).Size(rows).Build(), rows);
    }

    private GemmShape Shape(Dim rows, int few) => _forced switch
    {
        "tile" => GemmShape.Tile,
        "skinny" => GemmShape.Skinny,
        _ => AtMost(rows) <= few ? GemmShape.Skinny : GemmShape.Tile,
    };

    /// <summary>Rows at the limits of the plan.</summary>
    public long AtMost(Dim rows) => rows.Evaluate(symbol => context.Limits.Of(symbol, graph.Phase));
}
