using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>Which emitter makes a product, and the block it needs: the one place where that is decided.</summary>
/// <param name="Rows">Rows of C per block.</param>
/// <param name="Columns">Columns of C per block.</param>
internal sealed record GemmPlan(int Rows, int Columns, int Threads, int SharedBytes, Action<GemmProblem> Emit)
{
    /// <param name="a">Type of A, which decides: FP8 and BF16 go to tensor cores, F32 does not.</param>
    /// <param name="w">Type of W; F32 beside a BF16 A means FP32 arithmetic.</param>
    /// <param name="experts">Rows come in small groups.</param>
    public static GemmPlan For(DType a, DType w, int n, int depth, GemmShape shape, bool experts)
    {
        var tensor = w != DType.F32;
        return (shape, tensor) switch
        {
            (GemmShape.Tile, true) => Tensor(TensorTile.For(n, a == DType.E4M3, experts), a == DType.E4M3),
            (GemmShape.Tile, false) => Simt(SimtTile.Dense),
            (_, true) => SkinnyTensor(SkinnyTile.For(depth * w.Bytes(), SkinnyTensorEmitter.Rows)),
            _ => SkinnySimt(SkinnyTile.For(depth * w.Bytes(), SkinnySimtEmitter.Rows)),
        };
    }

    /// <summary>For the heads of MLA in decoding.</summary>
    public static GemmPlan ForHeads(DType io) => io == DType.BF16 ? Tensor(TensorTile.Head, scaled: false) : Simt(SimtTile.Head);

    private static GemmPlan Tensor(TensorTile tile, bool scaled) =>
        new(tile.Rows, tile.Columns, tile.Threads, tile.SharedBytes(scaled), p => new TensorTileEmitter(p, tile).Emit());

    private static GemmPlan Simt(SimtTile tile) =>
        new(tile.Rows, tile.Columns, tile.Threads, tile.SharedBytes, p => new SimtTileEmitter(p, tile).Emit());

    private static GemmPlan SkinnyTensor(SkinnyTile tile) =>
        new(tile.Rows, tile.Columns, tile.Threads, tile.SharedBytes(SkinnyTensorEmitter.Sums),
            p => new SkinnyTensorEmitter(p, tile).Emit());

    private static GemmPlan SkinnySimt(SkinnyTile tile) =>
        new(tile.Rows, tile.Columns, tile.Threads, tile.SharedBytes(SkinnySimtEmitter.Sums), p => new SkinnySimtEmitter(p, tile).Emit());

    /// <summary>Rows run along x, so that blocks which share weights run side by side.</summary>
    public LaunchGeometry Geometry(Dim rowTiles, int n, int heads = 1) =>
        new(rowTiles, Dim.CeilDiv(n, Columns), heads, Threads, SharedBytes);

    /// <summary>Writes the kernel around the problem that <paramref name="problem"/> sets up.</summary>
    public void Write(KernelBuilder k, Func<GemmProblem> problem)
    {
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: 1);
        Emit(problem());
    }
}
