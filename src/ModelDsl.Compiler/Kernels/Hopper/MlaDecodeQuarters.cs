using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Quarters of a page of an FP8 cache on their way through the registers of <see cref="MlaDecodeFp8Pages"/>: 32 tokens by 256 latents, of which a thread takes 16 of each 64 of a row, so that eight threads
/// write to different banks. One quarter is loaded while the one before it is widened.
/// </summary>
internal sealed class MlaDecodeQuarters(KernelBuilder k)
{
    private const int Count = 4, ThreadsOfTile = 4, Rows = MlaDecodeFp8Pages.Threads / ThreadsOfTile, Words = MlaDecodeFp8Pages.VectorBytes / 4;
    private const int Tiles = MlaDecodeBlock.LatentTiles / 2, Latents = Tiles * MlaDecodeBlock.ColumnsOfTile, Groups = Latents / RowTiling.Group;

    private readonly Var<B32>[][] _codes = [.. Enumerable.Range(0, Tiles).Select(_ => k.Vars<B32>(Words, 0u))];
    private readonly Var<F32>[] _scales = k.Vars<F32>(Groups, 0f);

    private S32 Part => k.ThreadIdX % ThreadsOfTile;

    private static Fp8CacheRow Row => MlaDecodeFp8Pages.Row;

    /// <summary>Asks for a quarter of a page.</summary>
    /// <param name="tokens">Of the page; rows behind them become zeros.</param>
    public void Load(GlobalPtr<U8> page, S32 quarter, S32 tokens)
    {
        var row = RowOf(quarter);
        var (from, inside) = (page.Row(row, Row.Bytes), row < tokens);
        var scales = from.AddBytes(Row.KvRank).Row(quarter % 2, Groups * sizeof(float)).As<F32>().LoadVectorOr(inside, 0f, Groups);
        for (var i = 0; i < Groups; i++) _scales[i].Value = scales[i];
        from += quarter % 2 * Latents + Part * MlaDecodeFp8Pages.VectorBytes;
        for (var tile = 0; tile < Tiles; tile++)
        {
            var words = from.AddBytes(tile * MlaDecodeBlock.ColumnsOfTile).As<B32>().LoadVectorOr(inside, (B32)0u, Words);
            for (var i = 0; i < Words; i++) _codes[tile][i].Value = words[i];
        }
    }

    /// <summary>Writes a page's latents to <paramref name="to"/>, as BF16. Its first quarter has been loaded.</summary>
    public void Widen(GlobalPtr<U8> page, S32 tokens, SharedPtr<U8> to) => k.For(0, Count, quarter =>
    {
        var codes = _codes.Select(tile => tile.Select(word => word.Value.As<E4M3x4>()).ToArray()).ToArray();
        var scales = _scales.Select(scale => scale.Value).ToArray();
        k.If(quarter < Count - 1, () => Load(page, quarter + 1, tokens), uniform: true);

        var row = RowOf(quarter);
        var at = to.AddBytes(quarter % 2 * (Tiles * MlaDecodeBlock.ColumnBytes) + row * MlaDecodeBlock.RowBytes);
        for (var tile = 0; tile < Tiles; tile++)
            for (var half = 0; half < 2; half++)
            {
                var widened = codes[tile].Skip(Words / 2 * half).Take(Words / 2).SelectMany(word => Widened(word, scales[tile * Groups / Tiles]));
                at.AddBytes(tile * MlaDecodeBlock.ColumnBytes).AddBytes(SwizzledRows.Chunk(row, 2 * Part + half)).As<B32>().StoreVector([.. widened]);
            }
    }, nounroll: true);

    private S32 RowOf(S32 quarter) => k.ThreadIdX / ThreadsOfTile + quarter / 2 * Rows;

    private IEnumerable<B32> Widened(E4M3x4 codes, F32 scale)
    {
        var (first, second) = k.Split(codes);
        foreach (var pair in new[] { first, second })
        {
            var (a, b) = k.ToF32(pair);
            yield return k.ToBF16x2(a * scale, b * scale);
        }
    }
}
