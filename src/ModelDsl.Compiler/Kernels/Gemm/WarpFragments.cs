using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// The operands of a warp's part of a tile, from swizzled shared memory into registers. A step has four parts of 32 bytes, the depth
/// of one <c>mma</c>.
/// </summary>
internal sealed class WarpFragments
{
    private const int Parts = TensorTile.StepBytes / 32;

    private readonly KernelBuilder _k;
    private readonly bool _transposed;
    private readonly int _pairs;
    private readonly SharedPtr<U8>[] _a;
    private readonly SharedPtr<U8>[] _w;

    public WarpFragments(KernelBuilder k, TensorTile tile, SwizzledTile<U8> a, SwizzledTile<U8> w, bool transposed)
    {
        (_k, _transposed, _pairs) = (k, transposed, tile.WarpColumns / 16);
        WarpRow = tile.WarpsDown == 1 ? 0 : k.WarpId / tile.WarpsAcross * tile.WarpRows;
        WarpColumn = (tile.WarpsDown == 1 ? k.WarpId : k.WarpId % tile.WarpsAcross) * tile.WarpColumns;

        // Which row and which 16 bytes of a fragment this lane gives the address of.
        var (low, high, half) = (k.LaneId % 8, k.LaneId / 16, k.LaneId / 8 % 2);
        _a = [.. Range(Parts).Select(s => a.Chunk(WarpRow + k.LaneId % 16, high + s * 2))];
        _w = transposed
            ? [.. Range(_pairs).Select(j => w.Chunk(half * 8 + low, WarpColumn / 8 + j * 2 + high))]
            : [.. Range(Parts).Select(s => w.Chunk(WarpColumn + high * 8 + low, half + s * 2))];
    }

    /// <summary>The warp's first row in the tile.</summary>
    public S32 WarpRow { get; }

    /// <summary>The warp's first column in the tile.</summary>
    public S32 WarpColumn { get; }

    /// <summary>16 rows of A, one part of the step.</summary>
    public B32[] LoadA(S32 stage, int part, int tileRow) =>
        _k.LoadMatrix(_a[part].AddBytes(stage).AddBytes(tileRow * 16 * TensorTile.StepBytes), 4);

    /// <summary>Sixteen of the warp's columns of W as two operands of eight, one part of the step.</summary>
    public B32[][] LoadW(S32 stage, int part, int pair)
    {
        const int skip = 16 * TensorTile.StepBytes;
        var from = _transposed ? _w[pair].AddBytes(stage).AddBytes(part * skip) : _w[part].AddBytes(stage).AddBytes(pair * skip);
        var both = _k.LoadMatrix(from, 4, _transposed);
        return [[both[0], both[1]], [both[2], both[3]]];
    }

    private static IEnumerable<int> Range(int count) => Enumerable.Range(0, count);
}
