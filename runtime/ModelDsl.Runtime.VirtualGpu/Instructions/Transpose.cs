using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Vector loads and stores of 32-bit words by lanes that lie in sequence: memory has lane-major order, rows register-major.</summary>
internal static unsafe class Transpose
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<TCount>(byte* from, byte* registers, int* rows)
        where TCount : struct, ICount
    {
        int n = TCount.Value;
        if (!Avx512F.IsSupported)
        {
            for (int octet = 0; octet < 4; octet++)
            {
                float* lanes = (float*)from + 8 * n * octet;
                if (n == 2) QuadTiles.LoadTwo(lanes, registers, rows, 32 * octet);
                else Octet((uint*)lanes, registers, rows, 32 * octet);
            }
            return;
        }
        for (int half = 0; half < 2; half++)
        {
            uint* p = (uint*)from + 16 * n * half;
            int at = 64 * half;
            Vector512<uint> v0 = Vector512.Load(p), v1 = Vector512.Load(p + 16);
            if (n == 2)
            {
                Avx512F.PermuteVar16x32x2(v0, Vector512.Create(0u, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), v1).Store((uint*)(registers + rows[0] + at));
                Avx512F.PermuteVar16x32x2(v0, Vector512.Create(1u, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), v1).Store((uint*)(registers + rows[1] + at));
                continue;
            }
            Quads(v0, v1, Vector512.Load(p + 32), Vector512.Load(p + 48), registers, rows, at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Octet(uint* lanes, byte* registers, int* rows, int at) => QuadTiles.LoadFour(
        Vector256.Load(lanes), Vector256.Load(lanes + 8), Vector256.Load(lanes + 16), Vector256.Load(lanes + 24), registers, rows, at);

    /// <summary>Four words for each lane from wherever the lanes point. All is read before anything is written: the address register may be a destination.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadQuads<TSpace>(Warp* warp, Instr* i, byte* origin)
        where TSpace : struct, ISpace
    {
        Vector512<uint> v0 = Four<TSpace>(warp, i, origin, 0), v1 = Four<TSpace>(warp, i, origin, 4);
        Vector512<uint> v2 = Four<TSpace>(warp, i, origin, 8), v3 = Four<TSpace>(warp, i, origin, 12);
        Vector512<uint> v4 = Four<TSpace>(warp, i, origin, 16), v5 = Four<TSpace>(warp, i, origin, 20);
        Vector512<uint> v6 = Four<TSpace>(warp, i, origin, 24), v7 = Four<TSpace>(warp, i, origin, 28);
        Quads(v0, v1, v2, v3, warp->Registers, &i->B, 0);
        Quads(v4, v5, v6, v7, warp->Registers, &i->B, 64);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Four<TSpace>(Warp* warp, Instr* i, byte* origin, int lane)
        where TSpace : struct, ISpace => Vector512.Create(
            Vector256.Create(Vector128.Load((uint*)(origin + TSpace.Offset(warp, i, lane))), Vector128.Load((uint*)(origin + TSpace.Offset(warp, i, lane + 1)))),
            Vector256.Create(Vector128.Load((uint*)(origin + TSpace.Offset(warp, i, lane + 2))), Vector128.Load((uint*)(origin + TSpace.Offset(warp, i, lane + 3)))));

    /// <summary>16 lanes of four words each, four lanes to a vector, to rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads(Vector512<uint> v0, Vector512<uint> v1, Vector512<uint> v2, Vector512<uint> v3, byte* registers, int* rows, int at)
    {
        if (!Avx512F.IsSupported)
        {
            QuadTiles.LoadFour(v0.GetLower(), v0.GetUpper(), v1.GetLower(), v1.GetUpper(), registers, rows, at);
            QuadTiles.LoadFour(v2.GetLower(), v2.GetUpper(), v3.GetLower(), v3.GetUpper(), registers, rows, at + 32);
            return;
        }
        // Words 0 and 1 of eight lanes, then 2 and 3: each in one half of a vector.
        Vector512<uint> first = Vector512.Create(0u, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        Vector512<uint> second = first + Vector512.Create(2u);
        Vector512<uint> a = Avx512F.PermuteVar16x32x2(v0, first, v1), b = Avx512F.PermuteVar16x32x2(v2, first, v3), c = Avx512F.PermuteVar16x32x2(v0, second, v1), d = Avx512F.PermuteVar16x32x2(v2, second, v3);
        Vector512.Create(a.GetLower(), b.GetLower()).Store((uint*)(registers + rows[0] + at));
        Vector512.Create(a.GetUpper(), b.GetUpper()).Store((uint*)(registers + rows[1] + at));
        Vector512.Create(c.GetLower(), d.GetLower()).Store((uint*)(registers + rows[2] + at));
        Vector512.Create(c.GetUpper(), d.GetUpper()).Store((uint*)(registers + rows[3] + at));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TCount>(byte* to, byte* registers, int* rows)
        where TCount : struct, ICount
    {
        int n = TCount.Value;
        if (!Avx512F.IsSupported)
        {
            for (int octet = 0; octet < 4; octet++)
            {
                float* lanes = (float*)to + 8 * n * octet;
                if (n == 2) QuadTiles.StoreTwo(registers, rows, 32 * octet, lanes);
                else QuadTiles.StoreFour(registers, rows, 32 * octet, lanes);
            }
            return;
        }
        Vector512<uint> low = Vector512.Create(0u, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), high = low + Vector512.Create(8u);
        for (int half = 0; half < 2; half++)
        {
            uint* p = (uint*)to + 16 * n * half;
            int at = 64 * half;
            Vector512<uint> r0 = Vector512.Load((uint*)(registers + rows[0] + at)), r1 = Vector512.Load((uint*)(registers + rows[1] + at));
            // Lanes 0-7 with their first two words, then lanes 8-15.
            Vector512<uint> a = Avx512F.PermuteVar16x32x2(r0, low, r1), b = Avx512F.PermuteVar16x32x2(r0, high, r1);
            if (n == 2)
            {
                a.Store(p);
                b.Store(p + 16);
                continue;
            }
            Vector512<uint> r2 = Vector512.Load((uint*)(registers + rows[2] + at)), r3 = Vector512.Load((uint*)(registers + rows[3] + at));
            Vector512<uint> c = Avx512F.PermuteVar16x32x2(r2, low, r3), d = Avx512F.PermuteVar16x32x2(r2, high, r3);
            // Pairs of words from the one and the other in turn.
            Vector512<ulong> even = Vector512.Create(0ul, 8, 1, 9, 2, 10, 3, 11), odd = Vector512.Create(4ul, 12, 5, 13, 6, 14, 7, 15);
            Avx512F.PermuteVar8x64x2(a.AsUInt64(), even, c.AsUInt64()).AsUInt32().Store(p);
            Avx512F.PermuteVar8x64x2(a.AsUInt64(), odd, c.AsUInt64()).AsUInt32().Store(p + 16);
            Avx512F.PermuteVar8x64x2(b.AsUInt64(), even, d.AsUInt64()).AsUInt32().Store(p + 32);
            Avx512F.PermuteVar8x64x2(b.AsUInt64(), odd, d.AsUInt64()).AsUInt32().Store(p + 48);
        }
    }

    /// <summary>An 8 by 8 tile of 16 bits whose rows lie apart, written column by column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Tile(byte** rows, ushort* to)
    {
        if (!Avx512BW.IsSupported && Sse2.IsSupported)
        {
            // Rows 0 and 4, 1 and 5, ... side by side; twice more, and columns follow each other.
            var (a0, a1) = Zip(Vector128.Load((ushort*)rows[0]), Vector128.Load((ushort*)rows[4]));
            var (b0, b1) = Zip(Vector128.Load((ushort*)rows[1]), Vector128.Load((ushort*)rows[5]));
            var (c0, c1) = Zip(Vector128.Load((ushort*)rows[2]), Vector128.Load((ushort*)rows[6]));
            var (d0, d1) = Zip(Vector128.Load((ushort*)rows[3]), Vector128.Load((ushort*)rows[7]));
            Columns(a0, b0, c0, d0, to);
            Columns(a1, b1, c1, d1, to + 32);
            return;
        }
        if (!Avx512BW.IsSupported)
        {
            for (int row = 0; row < 8; row++)
                for (int column = 0; column < 8; column++) to[8 * column + row] = ((ushort*)rows[row])[column];
            return;
        }
        Vector512<ushort> top = Vector512.Create(
            Vector256.Create(Vector128.Load((ushort*)rows[0]), Vector128.Load((ushort*)rows[1])),
            Vector256.Create(Vector128.Load((ushort*)rows[2]), Vector128.Load((ushort*)rows[3])));
        Vector512<ushort> bottom = Vector512.Create(
            Vector256.Create(Vector128.Load((ushort*)rows[4]), Vector128.Load((ushort*)rows[5])),
            Vector256.Create(Vector128.Load((ushort*)rows[6]), Vector128.Load((ushort*)rows[7])));
        Vector512<ushort> first = Vector512.Create(
            (ushort)0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57, 2, 10, 18, 26, 34, 42, 50, 58, 3, 11, 19, 27, 35, 43, 51, 59);
        Avx512BW.PermuteVar32x16x2(top, first, bottom).Store(to);
        Avx512BW.PermuteVar32x16x2(top, first + Vector512.Create((ushort)4), bottom).Store(to + 32);
    }

    /// <summary>Four columns out of rows 0 and 4, 1 and 5, 2 and 6, 3 and 7 in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Columns(Vector128<ushort> rows04, Vector128<ushort> rows15, Vector128<ushort> rows26, Vector128<ushort> rows37, ushort* to)
    {
        var (even0, even1) = Zip(rows04, rows26);
        var (odd0, odd1) = Zip(rows15, rows37);
        var (column0, column1) = Zip(even0, odd0);
        var (column2, column3) = Zip(even1, odd1);
        column0.Store(to);
        column1.Store(to + 8);
        column2.Store(to + 16);
        column3.Store(to + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<ushort> Low, Vector128<ushort> High) Zip(Vector128<ushort> a, Vector128<ushort> b) => (Sse2.UnpackLow(a, b), Sse2.UnpackHigh(a, b));
}
