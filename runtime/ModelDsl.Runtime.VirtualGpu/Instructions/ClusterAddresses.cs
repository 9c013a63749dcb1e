using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary><c>mapa</c> and <c>getctarank</c>: addresses in the shared memory of the blocks of a cluster.</summary>
internal static unsafe class ClusterAddresses
{
    private const ulong RankMask = 0xFFUL << Cluster.RankShift;

    /// <summary>Address row A in the shared memory of the block whose rank is in row B.</summary>
    public static Instr* Map32(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ((uint*)(r + i->D))[lane] = (uint)Map(((uint*)(r + i->A))[lane], Rank(warp, i, lane));
        }
        return i + 1;
    }

    /// <inheritdoc cref="Map32"/>
    public static Instr* Map64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ((ulong*)(r + i->D))[lane] = Map(((ulong*)(r + i->A))[lane], Rank(warp, i, lane));
        }
        return i + 1;
    }

    /// <summary>Rank of the block that an address belongs to; E tells whether it has 64 bits.</summary>
    public static Instr* Rank(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong address = i->E != 0 ? ((ulong*)(r + i->A))[lane] : ((uint*)(r + i->A))[lane];
            uint rank = (uint)((address & RankMask) >> Cluster.RankShift);
            ((uint*)(r + i->D))[lane] = rank == 0 ? (uint)warp->Block->Rank : rank - 1;
        }
        return i + 1;
    }

    private static ulong Map(ulong address, uint rank) => (address & ~RankMask) | ((ulong)(rank + 1) << Cluster.RankShift);

    private static uint Rank(Warp* warp, Instr* i, int lane)
    {
        uint rank = ((uint*)(warp->Registers + i->B))[lane];
        return rank < (uint)warp->Block->Cluster->Count ? rank
            : throw new FaultException(FindingKind.InvalidOperand, $"the cluster has no block {rank}; it has {warp->Block->Cluster->Count}", i, lane);
    }
}
