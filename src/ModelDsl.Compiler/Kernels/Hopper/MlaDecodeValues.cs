using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>A warpgroup of <see cref="MlaDecode"/> that multiplies probabilities by half of V: 64 rows by 256 latents.</summary>
internal static class MlaDecodeValues
{
    private const int Columns = MlaDecode.KvRank / 2, TilesOfHalf = MlaDecodeBlock.LatentTiles / 2;

    public static void Write(MlaDecodeBlock block, S32 half)
    {
        var k = block.K;
        var (page, take) = (block.Keys.Start(), block.Probabilities.Start());
        var sums = k.Vars<F32>(Columns / 2, 0f);
        var firstTile = half * (TilesOfHalf * MlaDecodeBlock.ColumnBytes);
        var a = k.TileDescriptor(block.P, TileSwizzle.Bytes128, 8 * MlaDecodeBlock.RowBytes);
        // Tokens are the depth, so that V lies with its columns fastest: eight tokens, and 64 columns, further.
        var b = k.TileDescriptor(block.Key(0, 0).AddBytes(firstTile), TileSwizzle.Bytes128, 8 * MlaDecodeBlock.RowBytes, MlaDecodeBlock.ColumnBytes);
        var row = (k.WarpId & 3) * 16 + (k.LaneId >> 2);

        block.ForEach(block.Range(), piece =>
        {
            foreach (var sum in sums) sum.Value = 0f;
            k.For(piece.From, piece.To, number =>
            {
                take.AwaitFull();
                Rescale(k, sums, block.Keep.Load(row), block.Keep.Load(row + 8));
                Multiply(k, sums, a, b.At(page.Stage, MlaDecode.TileBytes));
                take.Release(k.LaneId == 0);
                page.Release(k.LaneId == 0);
                take.Advance();
                page.Advance();
            }, nounroll: true);

            take.AwaitFull();
            var (upper, lower) = (Inverse(k, block.Sums.Load(row)), Inverse(k, block.Sums.Load(row + 8)));
            k.SyncWarp();
            take.Release(k.LaneId == 0);
            take.Advance();
            k.If(piece.Slot < 0, () => Store(block, sums, row, upper, lower, half, (at, column, x, y) =>
                block.Out.Row(piece.Request, block.Kernel.Rows * MlaDecode.KvRank).Row(at, MlaDecode.KvRank).As<BF16x2>().Store(k.ToBF16x2(x, y), column / 2)),
            () => Store(block, sums, row, upper, lower, half, (at, column, x, y) =>
                block.Partial.Row(piece.Slot, block.Kernel.Rows * MlaDecode.KvRank).Row(at, MlaDecode.KvRank).StoreVector([x, y], column)), uniform: true);
        });
    }

    /// <summary>Where a row of the warp has found a larger score.</summary>
    private static void Rescale(KernelBuilder k, Var<F32>[] sums, F32 upper, F32 lower) => k.If(k.Any(upper != 1f | lower != 1f), () =>
    {
        for (var e = 0; e < sums.Length; e++) sums[e].Value = sums[e].Value * (e / 2 % 2 == 0 ? upper : lower);
    }, uniform: true);

    /// <summary>
    /// O += P · V over 64 tokens, four times two products of 128 columns. The assembler has no way to give one of 256 its 128 accumulators where all threads
    /// of the block together leave 128 registers to each.
    /// </summary>
    private static void Multiply(KernelBuilder k, Var<F32>[] sums, TileDescriptor p, TileDescriptor v)
    {
        const int Depth = 16, Width = Columns / 2;
        var shape = WgmmaShape.BF16(Width) with { TransposesB = true };
        k.WgmmaFence();
        for (var token = 0; token < MlaDecode.Page; token += Depth)
            for (var part = 0; part < 2; part++)
                k.Wgmma(
                    shape, [.. sums.Skip(part * shape.Registers).Take(shape.Registers)], p + token * 2,
                    v + (part * (Width / MlaDecodeBlock.ColumnsOfTile) * MlaDecodeBlock.ColumnBytes + token * MlaDecodeBlock.RowBytes), accumulates: true);
        k.WgmmaCommit();
        k.WgmmaWait(0);
    }

    /// <summary>Of no probabilities: zero.</summary>
    private static F32 Inverse(KernelBuilder k, F32 sum) => k.Select(sum > 0f, k.Reciprocal(sum), 0f);

    /// <summary>Two neighbours at a time: element 4j + 2h + i is column 8j + 2t + i of row g + 8h.</summary>
    private static void Store(MlaDecodeBlock block, Var<F32>[] sums, S32 row, F32 upper, F32 lower, S32 half, Action<S32, S32, F32, F32> store)
    {
        var k = block.K;
        var column = half * Columns + (k.LaneId & 3) * 2;
        for (var h = 0; h < 2; h++)
        {
            var (at, inverse) = (block.FirstRow + row + 8 * h, h == 0 ? upper : lower);
            k.If(at < block.Kernel.Rows, () =>
            {
                for (var j = 0; j < Columns / 8; j++) store(at, column + 8 * j, sums[4 * j + 2 * h].Value * inverse, sums[4 * j + 2 * h + 1].Value * inverse);
            });
        }
    }
}
