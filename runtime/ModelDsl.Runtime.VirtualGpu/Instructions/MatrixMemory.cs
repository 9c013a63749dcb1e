using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// <c>ldmatrix</c> and <c>stmatrix</c> of 8 by 8 tiles of 16 bits. Lanes 8m to 8m+7 give the row addresses of tile m; data rows
/// in B, C, E, F; <c>D</c> is the number of tiles. Lane 4g+t holds elements 2t, 2t+1 of row g, so a register is the tile row by row.
/// </summary>
internal static unsafe class MatrixMemory
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Load<TSpace>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
    {
        int* rows = &i->B;
        byte* origin = ResolveAll<TSpace>(warp, i, mask);
        if (origin == null || rows[0] == i->A || rows[1] == i->A || rows[2] == i->A) return LoadSlowly<TSpace>(warp, i, mask);
        for (int tile = 0; tile < i->D; tile++)
        {
            byte* to = warp->Registers + rows[tile];
            for (int row = 0; row < 8; row++)
                Vector128.Load(origin + TSpace.Offset(warp, i, 8 * tile + row)).Store(to + 16 * row);
        }
        return i + 1;
    }

    /// <summary>Where a lane needs a closer look, or a register of addresses is written to before all of them are read.</summary>
    private static Instr* LoadSlowly<TSpace>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
    {
        int* rows = &i->B;
        byte** pointers = stackalloc byte*[32];
        Resolve<TSpace>(warp, i, mask, pointers);
        for (int tile = 0; tile < i->D; tile++)
        {
            byte* to = warp->Registers + rows[tile];
            for (int row = 0; row < 8; row++) Vector128.Load(pointers[8 * tile + row]).Store(to + 16 * row);
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* LoadTransposed<TSpace>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
    {
        int* rows = &i->B;
        byte** pointers = stackalloc byte*[32];
        Resolve<TSpace>(warp, i, mask, pointers);
        for (int tile = 0; tile < i->D; tile++)
        {
            Transpose.Tile(pointers + 8 * tile, (ushort*)(warp->Registers + rows[tile]));
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Store<TSpace>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
    {
        int* rows = &i->B;
        byte** pointers = stackalloc byte*[32];
        Resolve<TSpace>(warp, i, mask, pointers);
        for (int tile = 0; tile < i->D; tile++)
        {
            byte* from = warp->Registers + rows[tile];
            for (int row = 0; row < 8; row++)
                Vector128.Load(from + 16 * row).Store(pointers[8 * tile + row]);
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* StoreTransposed<TSpace>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
    {
        int* rows = &i->B;
        byte** pointers = stackalloc byte*[32];
        Resolve<TSpace>(warp, i, mask, pointers);
        for (int tile = 0; tile < i->D; tile++)
        {
            ushort* from = (ushort*)(warp->Registers + rows[tile]);
            for (int row = 0; row < 8; row++)
            {
                ushort* to = (ushort*)pointers[8 * tile + row];
                for (int column = 0; column < 8; column++) to[column] = from[8 * column + row];
            }
        }
        return i + 1;
    }

    /// <summary>All addresses first: a destination register may be the address register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Resolve<TSpace>(Warp* warp, Instr* i, uint mask, byte** pointers)
        where TSpace : struct, ISpace
    {
        byte* origin = ResolveAll<TSpace>(warp, i, mask);
        for (int lane = 0; lane < 8 * i->D; lane++) pointers[lane] = origin != null ? origin + TSpace.Offset(warp, i, lane) : TSpace.Resolve(warp, i, lane, 16, 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* ResolveAll<TSpace>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
    {
        if (mask != Lanes.All) RequireAll(i, mask);
        return TSpace.ResolveAll(warp, i, i->D == 4 ? Lanes.All : (1u << (8 * i->D)) - 1, 16);
    }

    private static void RequireAll(Instr* i, uint mask) =>
        throw new FaultException(FindingKind.InactiveLanes, $"a matrix load or store needs all 32 lanes of the warp; active are 0x{mask:x8}", i, -1);
}
