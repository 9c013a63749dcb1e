using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// An operand of a BF16 product in memory and in the stages: <paramref name="Size"/> rows (or columns) of the tile by 64 of the depth. With the depth fastest a tile is rows of 128
/// bytes; otherwise it is columns of tiles, 64 wide, each of 64 rows along the depth, which <c>wgmma</c> reads transposed.
/// </summary>
internal sealed record Bf16Operand(KernelBuilder K, TensorMapParameter Map, SharedPtr<U8> Stages, int Size, bool Transposed)
{
    private const int RowBytes = 128, Step = Bf16GemmTile.Step, Wide = RowBytes / 2, ColumnBytes = Step * RowBytes;

    public static int StageBytes(int size) => size * RowBytes;

    /// <summary>The map of the operand: <paramref name="size"/> by <paramref name="depth"/>, or the other way round.</summary>
    public static TileMap MapOf(Dim size, Dim depth, int tileSize, bool transposed) => transposed
        ? new TileMap(depth, checked((int)size.Constant!.Value), Step, Wide)
        : new TileMap(size, checked((int)depth.Constant!.Value), tileSize, Step);

    /// <summary>Starts the copies of a step.</summary>
    public void Load(Mbarrier full, S32 stage, S32 first, S32 depth)
    {
        var to = Stages.AddBytes(stage * StageBytes(Size));
        if (!Transposed) Map.Load(to, full, depth, first);
        else
            for (var column = 0; column * Wide < Size; column++) Map.Load(to.AddBytes(column * ColumnBytes), full, first + column * Wide, depth);
    }

    /// <summary>Of the first stage; <see cref="TileDescriptor.At"/> leads to others.</summary>
    /// <param name="first">Of the tile's rows, a multiple of 64.</param>
    public TileDescriptor Descriptor(S32 first) => Transposed
        ? K.TileDescriptor(Stages.AddBytes(first / Wide * ColumnBytes), TileSwizzle.Bytes128, 8 * RowBytes, ColumnBytes)
        : K.TileDescriptor(Stages.AddBytes(first * RowBytes), TileSwizzle.Bytes128, 8 * RowBytes);

    /// <summary>From 16 of the depth to the next 16.</summary>
    public int Next => Transposed ? 16 * RowBytes : 32;
}
