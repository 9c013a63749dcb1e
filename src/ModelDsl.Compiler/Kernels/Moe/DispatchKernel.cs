using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>
/// Sorts the R = T * Active choices of a step by expert, in token order within one, and lists the row tiles that the grouped GEMM
/// works off: <c>tile_expert[i]</c> (-1 where unused) and <c>tile_row[i]</c>, the first row of the tile.
/// </summary>
/// <remarks>
/// One block: a stable counting sort in which each warp has a span of choices. Reads the ids twice, writes two words per choice and two
/// per tile. A step of one token keeps one warp busy; the others end at once.
/// </remarks>
/// <param name="TileRows">Rows per tile; tiles do not span experts.</param>
public sealed record DispatchKernel(int Experts, int Active, int TileRows) : Kernel
{
    private const int MostWarps = 16;
    private const int SharedBudget = 48 * 1024;

    public override string Name => $"dispatch_e{Experts}_k{Active}_t{TileRows}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("indices", DType.I32),
        KernelParameter.Out("offsets", DType.I32),
        KernelParameter.Out("row_of", DType.I32),
        KernelParameter.Out("source", DType.I32),
        KernelParameter.Out("tile_expert", DType.I32),
        KernelParameter.Out("tile_row", DType.I32),
        KernelParameter.Int("tokens"),
        KernelParameter.Int("tiles"),
    ];

    public override LaunchGeometry Geometry => new(1, Threads, (Warps + 2) * LaneExperts * 32 * 4 + 16);

    /// <summary>As many warps as counters fit into 48 KiB, at most 16.</summary>
    private int Warps => Math.Max(1, Math.Min(MostWarps, SharedBudget / (LaneExperts * 32 * 4) - 3));

    private int Threads => Warps * 32;

    /// <summary>Experts per lane when a warp has them all.</summary>
    private int LaneExperts => (Experts + 31) / 32;

    protected override void Write(KernelBuilder k)
    {
        var indices = k.GlobalPtrParam<S32>("indices");
        var offsets = k.GlobalPtrParam<S32>("offsets");
        var rowOf = k.GlobalPtrParam<S32>("row_of");
        var source = k.GlobalPtrParam<S32>("source");
        var tileExpert = k.GlobalPtrParam<S32>("tile_expert");
        var tileRow = k.GlobalPtrParam<S32>("tile_row");
        var choices = k.S32Param("tokens") * Active;
        var tiles = k.S32Param("tiles");

        var padded = LaneExperts * 32;
        var counters = k.DynamicShared<S32>(Warps * padded);
        var firstRow = k.DynamicShared<S32>(padded);
        var firstTile = k.DynamicShared<S32>(padded);
        var usedTiles = k.DynamicShared<S32>(4);
        var span = (choices + (Threads - 1)) / Threads * 32;
        var begin = k.WarpId * span;
        var end = k.Min(begin + span, choices);
        var mine = counters.Row(k.WarpId, padded);
        // In a small step nearly all warps may end at once; the barriers are for those that stay.
        k.ReturnIf((k.WarpId > 0) & (begin >= choices) & (k.WarpId * 32 >= tiles));
        var busy = k.Max(k.Max((choices + (span - 1)) / k.Max(span, 1), (tiles + 31) / 32), 1);
        var staying = k.Min(busy, Warps) * 32;

        k.Comment("every warp counts the experts of its span of choices");
        k.If(begin < end, () =>
        {
            for (var i = 0; i < LaneExperts; i++) mine.Store(0, k.LaneId + 32 * i);
            k.SyncWarp();
            k.For(begin + k.LaneId, end, 32, i => mine.ReduceAdd(1, indices[i]));
        }, uniform: true);
        k.Barrier(1, staying);

        k.If(k.WarpId == 0, () =>
        {
            k.Comment("counters become numbers of earlier choices of the same expert; sums over experts become first rows and first tiles");
            var counts = CountEarlier(k, counters, span, choices);
            var lane = k.LaneId * LaneExperts;
            var rows = Starts(k, counts);
            StoreMany(firstRow + lane, rows);
            for (var i = 0; i < LaneExperts; i++) offsets.StoreIf(lane + i < Experts, rows[i], lane + i);
            offsets.StoreIf(k.LaneId == 0, choices, Experts);
            var needed = counts.Select(count => (count + (TileRows - 1)) / TileRows).ToArray();
            var starts = Starts(k, needed);
            StoreMany(firstTile + lane, starts);
            usedTiles.StoreIf(k.LaneId == 31, starts[^1] + needed[^1]);
        }, uniform: true);
        k.Barrier(1, staying);

        k.Comment("rows, in the order of choices within an expert");
        k.For(begin, end, 32, first =>
        {
            var i = first + k.LaneId;
            var inside = i < end;
            var expert = indices.LoadOr(inside, -1, i);
            var same = k.MatchAny(expert);
            var rank = k.PopCount(same & k.LanesBefore);
            var earlier = mine.LoadOr(inside, 0, expert);
            var row = firstRow.LoadOr(inside, 0, expert) + earlier + rank;
            rowOf.StoreIf(inside, row, i);
            source.StoreIf(inside, i / Active, row);
            k.SyncWarp();
            mine.StoreIf(inside & (rank == 0), earlier + k.PopCount(same), expert);
            k.SyncWarp();
        });

        k.Comment("tiles: the last expert that starts at or before a tile has it");
        k.For(k.ThreadIdX, tiles, Threads, tile =>
        {
            var expert = k.Var<S32>(0);
            for (var step = HighestStep; step > 0; step /= 2)
            {
                var next = expert.Value + step;
                var exists = HighestStep * 2 == Experts ? true : next < Experts;
                expert.SetIf(firstTile.LoadOr(exists, int.MaxValue, next) <= tile, next);
            }

            var used = tile < usedTiles.Load();
            var row = firstRow[expert] + (tile - firstTile[expert]) * TileRows;
            tileExpert.Store(k.Select(used, expert, (S32)(-1)), tile);
            tileRow.Store(k.Select(used, row, (S32)0), tile);
        });
    }

    private int HighestStep => Enumerable.Range(0, 31).Select(bit => 1 << bit).LastOrDefault(step => step < Experts);

    /// <summary>Replaces each warp's counters by the sum of those of the warps before it.</summary>
    /// <returns>The sums over all warps, of the experts of this lane.</returns>
    private S32[] CountEarlier(KernelBuilder k, SharedPtr<S32> counters, S32 span, S32 choices)
    {
        var sums = k.Vars<S32>(LaneExperts, 0);
        k.For(0, Warps, 1, (warp, loop) =>
        {
            loop.BreakIf(warp * span >= choices);
            var at = counters.Row(warp, LaneExperts * 32) + k.LaneId * LaneExperts;
            var counts = at.LoadMany(LaneExperts, aligned: LaneExperts);
            StoreMany(at, [.. sums.Select(sum => sum.Value)]);
            for (var i = 0; i < LaneExperts; i++) sums[i].Value += counts[i];
        });
        return [.. sums.Select(sum => sum.Value)];
    }

    /// <summary>Exclusive running sums over all experts, from counts of the experts of each lane.</summary>
    private static S32[] Starts(KernelBuilder k, S32[] counts)
    {
        var total = counts.Aggregate((a, b) => a + b);
        var start = WarpScan.Inclusive(k, total) - total;
        var starts = new S32[counts.Length];
        for (var i = 0; i < counts.Length; i++) (starts[i], start) = (start, start + counts[i]);
        return starts;
    }

    private static void StoreMany(SharedPtr<S32> to, S32[] values)
    {
        var width = values.Length % 4 == 0 ? 4 : values.Length % 2 == 0 ? 2 : 1;
        for (var i = 0; i < values.Length; i += width) to.StoreVector([.. values.Skip(i).Take(width)], i);
    }
}
