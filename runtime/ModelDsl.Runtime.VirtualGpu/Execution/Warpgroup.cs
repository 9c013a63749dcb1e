using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Four warps that execute <c>wgmma</c> as one: those that come first wait for the last, which does the work of all.</summary>
internal unsafe struct Warpgroup
{
    public const int Warps = 4;
    public const int MostInBlock = BlockBarrier.MaxWarps / Warps;

    private const uint All = (1 << Warps) - 1;

    /// <summary>The instruction at which warps wait.</summary>
    public Instr* At;

    /// <summary>Which of the four are there.</summary>
    public uint Arrived;

    /// <summary>A warp comes to an instruction. True for the last of the four; the others wait behind it.</summary>
    public static bool Join(Warp* warp, Instr* at)
    {
        BlockState* block = warp->Block;
        Warpgroup* group = block->Warpgroups + warp->Index / Warps;
        if ((warp->Index | (Warps - 1)) >= block->Warps)
            throw new FaultException(FindingKind.InactiveLanes, $"wgmma needs four whole warps, the first of which has a number divisible by four; the block has {block->Warps}", at, -1);
        if (group->Arrived != 0 && group->At != at)
        {
            int other = Bits.TrailingZeroCount(group->Arrived);
            throw new FaultException(
                FindingKind.BarrierMismatch, $"the warps of a warpgroup execute different wgmma instructions: warp {warp->Index} this one, warp {(warp->Index & -Warps) + other} another", at, -1) { Other = group->At };
        }
        group->At = at;
        group->Arrived |= 1u << (warp->Index % Warps);
        if (group->Arrived == All) return true;
        Split* split = warp->Splits + warp->Current;
        split->Next = at + 1;
        split->State = SplitState.Barrier;
        split->Barrier = BlockBarrier.OfWarpgroup;
        return false;
    }

    /// <summary>Lets the other three go on.</summary>
    public static void Release(Warp* last)
    {
        last->Block->Warpgroups[last->Index / Warps].Arrived = 0;
        Warp* first = last->Block->FirstWarp + (last->Index & -Warps);
        for (int w = 0; w < Warps; w++)
        {
            for (int s = 0; s < first[w].SplitCount; s++)
                if (first[w].Splits[s] is { State: SplitState.Barrier, Barrier: BlockBarrier.OfWarpgroup }) first[w].Splits[s].State = SplitState.Ready;
        }
    }
}
