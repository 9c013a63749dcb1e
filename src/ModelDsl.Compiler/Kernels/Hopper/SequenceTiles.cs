using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>A block's tile of a sequence.</summary>
/// <param name="Tile">Counted in tiles, from the sequence's start.</param>
/// <param name="FirstQuery">Row at which the sequence's queries start.</param>
/// <param name="Queries">Its queries.</param>
/// <param name="FirstKey">Row at which its keys start.</param>
/// <param name="Keys">Its keys.</param>
/// <param name="Tokens">Queries of all sequences.</param>
internal sealed record SequencePlace(S32 Tile, S32 FirstQuery, S32 Queries, S32 FirstKey, S32 Keys, S32 Tokens);

/// <summary>Which tile is block x's, where sequences of any length, zero too, lie one behind the other.</summary>
internal static class SequenceTiles
{
    private const int Lanes = 32;

    /// <summary>Declares what remains of the parameters. Blocks for which there is no tile end here.</summary>
    /// <param name="sequences">Null for one, all of <c>tokens</c> and <c>context</c>; otherwise <c>q_starts</c> and <c>k_starts</c> come before these.</param>
    /// <param name="byKeys">Tiles are of keys, not of queries.</param>
    /// <param name="reverse">The last tile of a sequence comes first.</param>
    public static SequencePlace Of(KernelBuilder k, int? sequences, int rows, bool byKeys, bool reverse)
    {
        if (sequences is not { } count)
        {
            var (all, context) = (k.S32Param("tokens"), k.S32Param("context"));
            return new SequencePlace(Turned(byKeys ? context : all, k.BlockIdX), 0, all, 0, context, all);
        }

        var (qStarts, kStarts) = (k.GlobalPtrParam<S32>("q_starts"), k.GlobalPtrParam<S32>("k_starts"));
        var tokens = k.S32Param("tokens");
        k.S32Param("context");
        k.Comment("The sequence that this block's tile is of: 32 of them at a time, a running sum of their tiles");
        var (sequence, tile, before) = (k.Var<S32>(-1), k.Var<S32>(0), k.Var<S32>(0));
        k.For(0, count, Lanes, first =>
        {
            var (from, lane) = (byKeys ? kStarts : qStarts, first + k.LaneId);
            var tiles = k.CeilDivide(from.LoadOr(lane < count, 0, lane + 1) - from.LoadOr(lane < count, 0, lane), rows);
            var end = before.Value + WarpScan.Inclusive(k, tiles);
            var holds = k.Ballot((end - tiles <= k.BlockIdX) & (k.BlockIdX < end));
            var found = WarpScan.LowestLane(k, holds) & (Lanes - 1);
            var start = k.Shuffle(end - tiles, found);
            sequence.SetIf(holds != 0, first + found);
            tile.SetIf(holds != 0, k.BlockIdX - start);
            before.Value = k.Shuffle(end, Lanes - 1);
        }, nounroll: true);
        k.ReturnIf(sequence.Value < 0);
        var (firstQuery, firstKey) = (qStarts.Load(sequence.Value), kStarts.Load(sequence.Value));
        var (queries, keys) = (qStarts.Load(sequence.Value + 1) - firstQuery, kStarts.Load(sequence.Value + 1) - firstKey);
        return new SequencePlace(Turned(byKeys ? keys : queries, tile.Value), firstQuery, queries, firstKey, keys, tokens);

        S32 Turned(S32 length, S32 number) => reverse ? k.CeilDivide(length, rows) - 1 - number : number;
    }
}
