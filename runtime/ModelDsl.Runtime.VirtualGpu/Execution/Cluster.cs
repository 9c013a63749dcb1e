using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Blocks that run at the same time and reach each other's shared memory. A block of a launch without clusters is one of its own.</summary>
internal unsafe struct Cluster
{
    /// <summary>As many as hardware allows where a kernel asks for more than the portable eight.</summary>
    public const int MostBlocks = 16;

    /// <summary>An address in another block's shared memory has the block's rank plus one from this bit on; zero there is the own block.</summary>
    public const int RankShift = 24;
    public const uint OffsetMask = (1u << RankShift) - 1;

    public fixed ulong Blocks[MostBlocks];
    public int Count;

    /// <summary>Counts what only happens when a kernel gets on: phases of mbarriers that end, barriers that open, matrix products.</summary>
    public long Events;

    public readonly BlockState* this[int rank] => (BlockState*)Blocks[rank];

    /// <summary>
    /// Opens <c>barrier.cluster</c> if all threads that live have arrived, and frees those that wait at it.
    /// </summary>
    public static void TryOpen(Cluster* cluster)
    {
        bool isAwaited = false;
        for (int rank = 0; rank < cluster->Count; rank++)
        {
            BlockState* block = (*cluster)[rank];
            for (int w = 0; w < block->Warps; w++)
            {
                Warp* warp = block->FirstWarp + w;
                isAwaited |= warp->AtCluster != 0;
                if ((warp->Alive & ~warp->AtCluster) != 0) return;
            }
        }
        if (!isAwaited) return;
        cluster->Events++;
        for (int rank = 0; rank < cluster->Count; rank++)
        {
            BlockState* block = (*cluster)[rank];
            for (int w = 0; w < block->Warps; w++)
            {
                Warp* warp = block->FirstWarp + w;
                warp->AtCluster = 0;
                for (int s = 0; s < warp->SplitCount; s++)
                {
                    Split* split = warp->Splits + s;
                    if (split->State == SplitState.Barrier && split->Barrier == BlockBarrier.OfCluster) split->State = SplitState.Ready;
                }
            }
        }
    }

    /// <summary>Threads that have not come to the cluster's barrier, for reports.</summary>
    public static int Missing(Cluster* cluster)
    {
        int missing = 0;
        for (int rank = 0; rank < cluster->Count; rank++)
        {
            BlockState* block = (*cluster)[rank];
            for (int w = 0; w < block->Warps; w++) missing += Bits.PopCount(block->FirstWarp[w].Alive & ~block->FirstWarp[w].AtCluster);
        }
        return missing;
    }
}
