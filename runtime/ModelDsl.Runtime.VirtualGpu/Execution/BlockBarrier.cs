using System.Numerics;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>What a barrier hands back: nothing, or a reduction of a predicate (<c>bar.red</c>).</summary>
internal enum Vote { None, Count, All, Any }

/// <summary>One of a block's sixteen named barriers. Threads arrive warp by warp; it opens when enough warps are complete.</summary>
internal unsafe struct BlockBarrier
{
    public const int Count = 16;
    public const int MaxWarps = 32;

    /// <summary>In <see cref="Split.Barrier"/> for who waits at <c>barrier.cluster</c>, and for who waits for the other warps of a warpgroup.</summary>
    public const int OfCluster = Count, OfWarpgroup = Count + 1;

    /// <summary>Lanes of each warp that have arrived since it last opened.</summary>
    public fixed uint Arrived[MaxWarps];

    /// <summary>Threads whose predicate held, for <c>bar.red</c>.</summary>
    public int Votes;

    /// <summary>Warps expected; zero means all that live.</summary>
    public int Expected;

    /// <summary>How often it has opened.</summary>
    public int Openings;

    /// <summary>Threads that have voted.</summary>
    public int Voters;

    /// <summary>Opens the barrier if it can, and frees the threads that wait at it.</summary>
    public static bool TryOpen(BlockState* block, int id)
    {
        BlockBarrier* barrier = block->Barriers + id;
        int complete = 0, waiting = 0;
        for (int i = 0; i < block->Warps; i++)
        {
            Warp* warp = block->FirstWarp + i;
            uint arrived = barrier->Arrived[i];
            waiting += BitOperations.PopCount(arrived);
            if ((warp->Alive & ~arrived) == 0 && (arrived != 0 || barrier->Expected == 0)) complete++;
        }
        if (waiting == 0 || complete < (barrier->Expected == 0 ? block->Warps : barrier->Expected)) return false;
        for (int i = 0; i < block->Warps; i++)
        {
            Warp* warp = block->FirstWarp + i;
            barrier->Arrived[i] = 0;
            for (int s = 0; s < warp->SplitCount; s++)
            {
                Split* split = warp->Splits + s;
                if (split->State != SplitState.Barrier || split->Barrier != id) continue;
                split->State = SplitState.Ready;
                DeliverVote(warp, split->Next - 1, split->Mask, barrier);
            }
        }
        barrier->Expected = 0;
        block->Cluster->Events++;
        barrier->Openings++;
        barrier->Votes = barrier->Voters = 0;
        return true;
    }

    private static void DeliverVote(Warp* warp, Instr* instr, uint lanes, BlockBarrier* barrier)
    {
        byte* destination = warp->Registers + instr->D;
        switch ((Vote)instr->Slot)
        {
            case Vote.Count:
                for (int lane = 0; lane < 32; lane++)
                    if ((lanes >> lane & 1) != 0) ((uint*)destination)[lane] = (uint)barrier->Votes;
                break;
            case Vote.All:
                Lanes.StorePredicate(destination, barrier->Votes == barrier->Voters ? Lanes.All : 0, lanes);
                break;
            case Vote.Any:
                Lanes.StorePredicate(destination, barrier->Votes > 0 ? Lanes.All : 0, lanes);
                break;
        }
    }
}
