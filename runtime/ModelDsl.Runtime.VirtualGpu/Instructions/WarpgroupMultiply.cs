using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// <c>wgmma.mma_async</c>, done at once for all four warps when the last of them comes: 64 rows by N columns, 32 bytes along K.
/// </summary>
/// <remarks>
/// Warp w has rows 16w to 16w+15, its registers hold them as the accumulator of <c>mma.m16n8</c> does, eight columns to four registers. B
/// is widened to singles once for all warps, its columns in the order 0 2 4 6 1 3 5 7 of the registers' lanes; A once for each warp, every
/// element four times over. Then a step in k is an outer product: two quarters of B, repeated, times four vectors of A. Products are added
/// in single precision in order of k.
/// <para>
/// Operands: columns; flags; row of A's descriptor; row of B's; slot of scale-d and what flips it; four rows of A's registers; the accumulator's.
/// </para>
/// </remarks>
internal static unsafe class WarpgroupMultiply
{
    public const int FlagRegisters = 1, FlagTransposeA = 2, FlagTransposeB = 4, FlagNegate = 8;
    public const int OperandColumns = 0, OperandFlags = 1, OperandA = 2, OperandB = 3, OperandScale = 4, OperandFlip = 5, OperandFragment = 6, OperandSums = 10;

    private const int RowsOfWarp = 16, GroupColumns = 8, StepsOfA = 4 * 16;
    private const int MostColumns = 256, MostSteps = 32;

    // In a block's scratch memory: bytes of B, B, and A of a warp with its bytes.
    private const int AtB = MostColumns * MatrixDescriptor.RowBytes, AtA = AtB + MostColumns * MostSteps * sizeof(float), AtRows = AtA + MostSteps * StepsOfA * sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Run<TA, TB>(Warp* warp, Instr* i, uint mask)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        // Lanes that took another way to get here come together first.
        if (mask == warp->Active && mask != Lanes.All && !WarpScheduler.Converged(warp, i, Lanes.All)) return Warp.Yield;
        if (mask != Lanes.All) throw new FaultException(FindingKind.InactiveLanes, $"wgmma needs all 32 lanes of each of its warps; active are 0x{mask:x8}", i, -1);
        if (!Warpgroup.Join(warp, i)) return Warp.Yield;
        int* o = i->Operands;
        byte* scratch = warp->Block->Scratch;
        Warp* first = warp->Block->FirstWarp + (warp->Index & -Warpgroup.Warps);
        int columns = o[OperandColumns], flags = o[OperandFlags];
        Gather(first, i, o[OperandB], columns, (flags & FlagTransposeB) != 0, 0, scratch);
        for (int group = 0; group < columns / GroupColumns; group++)
            WidenB<TB>(scratch + group * GroupColumns * MatrixDescriptor.RowBytes, (float*)(scratch + AtB) + group * GroupColumns * 8 * TB.Elements);
        for (int w = 0; w < Warpgroup.Warps; w++)
        {
            float* a = (float*)(scratch + AtA);
            byte* rows = scratch + AtRows;
            if ((flags & FlagRegisters) == 0) Gather(first + w, i, o[OperandA], RowsOfWarp, (flags & FlagTransposeA) != 0, w, rows);
            WidenA<TA>(first[w].Registers, (flags & FlagRegisters) != 0 ? o + OperandFragment : null, rows, a, (flags & FlagNegate) != 0 ? 0x8000_0000 : 0);
            bool accumulates = ((*(uint*)(first[w].Registers + o[OperandScale]) ^ (uint)o[OperandFlip]) & 1) != 0;
            int bits = TB.Elements == 4 ? warp->Block->Fp8SumBits : 0;
            if (bits == 0) Multiply(a, (float*)(scratch + AtB), columns / GroupColumns, 8 * TB.Elements, first[w].Registers, o + OperandSums, accumulates);
            else Truncate(a, (float*)(scratch + AtB), columns / GroupColumns, 8 * TB.Elements, first[w].Registers, o + OperandSums, accumulates, bits, (Least<TA>(), Least<TB>()));
        }
        warp->Block->Cluster->Events++;
        Warpgroup.Release(warp);
        return i + 1;
    }

    /// <summary>The rows of B, or those of A that a warp has.</summary>
    private static void Gather(Warp* warp, Instr* i, int row, int rows, bool isTransposed, int warpRows, byte* to)
    {
        var descriptor = new MatrixDescriptor(*(ulong*)(warp->Registers + row));
        if (isTransposed) descriptor.GatherTransposed(warp, i, warpRows * RowsOfWarp, rows, to);
        else descriptor.Gather(warp, i, warpRows * RowsOfWarp, rows, to);
    }

    /// <summary>Eight columns of B, for each k in the order of the accumulator's registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenB<T>(byte* columns, float* to)
        where T : struct, IFragment
    {
        float* first = stackalloc float[GroupColumns * 4];
        for (int chunk = 0; chunk < 2; chunk++)
        {
            Vector512<uint> low = Four(columns + 16 * chunk), high = Four(columns + 4 * MatrixDescriptor.RowBytes + 16 * chunk);
            for (int e = 0; e < T.Elements; e++)
            {
                Vector512<float> f0 = T.Element(low, e), f1 = T.Element(high, e);
                float* k = to + (chunk * 4 * T.Elements + e) * GroupColumns;
                int next = T.Elements * GroupColumns;
                if (Avx512F.IsSupported)
                {
                    Vector512<float> pair = Avx512F.PermuteVar16x32x2(f0, Vector512.Create(0, 8, 16, 24, 4, 12, 20, 28, 1, 9, 17, 25, 5, 13, 21, 29), f1);
                    pair.GetLower().Store(k);
                    pair.GetUpper().Store(k + next);
                    pair = Avx512F.PermuteVar16x32x2(f0, Vector512.Create(2, 10, 18, 26, 6, 14, 22, 30, 3, 11, 19, 27, 7, 15, 23, 31), f1);
                    pair.GetLower().Store(k + 2 * next);
                    pair.GetUpper().Store(k + 3 * next);
                    continue;
                }
                f0.Store(first);
                f1.Store(first + 16);
                Turn(first, first + 8, first + 16, first + 24, k, next);
                Turn(first + 4, first + 12, first + 20, first + 28, k + 4, next);
            }
        }
    }

    /// <summary>Sixteen rows of A: for each k four vectors, one for each four rows, with every element four times.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenA<T>(byte* registers, int* fragment, byte* rows, float* to, uint sign)
        where T : struct, IFragment
    {
        float* block = stackalloc float[16];
        for (int chunk = 0; chunk < 2; chunk++)
        {
            for (int quarter = 0; quarter < 4; quarter++)
            {
                Vector512<uint> words = fragment != null ? Lanes.Load(registers + fragment[2 * chunk + quarter / 2], quarter % 2) : Four(rows + 4 * quarter * MatrixDescriptor.RowBytes + 16 * chunk);
                for (int e = 0; e < T.Elements; e++)
                {
                    Vector512<float> f = (T.Element(words, e).AsUInt32() ^ Vector512.Create(sign)).AsSingle();
                    float* k = to + (chunk * 4 * T.Elements + e) * StepsOfA + 16 * quarter;
                    int next = T.Elements * StepsOfA;
                    if (Avx512F.IsSupported)
                    {
                        Avx512F.Permute4x32(f, 0b00_00_00_00).Store(k);
                        Avx512F.Permute4x32(f, 0b01_01_01_01).Store(k + next);
                        Avx512F.Permute4x32(f, 0b10_10_10_10).Store(k + 2 * next);
                        Avx512F.Permute4x32(f, 0b11_11_11_11).Store(k + 3 * next);
                        continue;
                    }
                    f.Store(block);
                    for (int lane = 0; lane < 16; lane += 4)
                        (k[lane], k[next + lane], k[2 * next + lane], k[3 * next + lane]) = (block[lane], block[lane + 1], block[lane + 2], block[lane + 3]);
                }
            }
        }
    }

    /// <summary>Four columns of four steps in k, written step by step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(float* a, float* b, float* c, float* d, float* to, int next)
    {
        if (!Sse.IsSupported)
        {
            for (int t = 0; t < 4; t++) (to[t * next], to[t * next + 1], to[t * next + 2], to[t * next + 3]) = (a[t], b[t], c[t], d[t]);
            return;
        }
        Vector128<float> ab = Sse.UnpackLow(Vector128.Load(a), Vector128.Load(b)), cd = Sse.UnpackLow(Vector128.Load(c), Vector128.Load(d));
        Sse.MoveLowToHigh(ab, cd).Store(to);
        Sse.MoveHighToLow(cd, ab).Store(to + next);
        (ab, cd) = (Sse.UnpackHigh(Vector128.Load(a), Vector128.Load(b)), Sse.UnpackHigh(Vector128.Load(c), Vector128.Load(d)));
        Sse.MoveLowToHigh(ab, cd).Store(to + 2 * next);
        Sse.MoveHighToLow(cd, ab).Store(to + 3 * next);
    }

    /// <summary>16 bytes of each of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Four(byte* rows) => Vector512.Create(
        Vector256.Create(Vector128.Load((uint*)rows), Vector128.Load((uint*)(rows + MatrixDescriptor.RowBytes))),
        Vector256.Create(Vector128.Load((uint*)(rows + 2 * MatrixDescriptor.RowBytes)), Vector128.Load((uint*)(rows + 3 * MatrixDescriptor.RowBytes))));

    /// <summary>The exponent field of a single for an FP8 format's smallest normal number: 2^-14 of E5M2, 2^-6 of E4M3.</summary>
    private static int Least<T>() => (127 - (typeof(T) == typeof(FragmentE5M2) ? 14 : 6)) << 23;

    private static void Truncate(float* a, float* b, int groups, int steps, byte* r, int* sums, bool accumulates, int bits, (int A, int B) least)
    {
        for (int group = 0; group < groups; group++, b += GroupColumns * steps, sums += 4)
        {
            TruncatedSums.EightRows(a, StepsOfA, b, steps, (float*)(r + sums[0]), (float*)(r + sums[1]), accumulates, bits, least);
            TruncatedSums.EightRows(a + 32, StepsOfA, b, steps, (float*)(r + sums[2]), (float*)(r + sums[3]), accumulates, bits, least);
        }
    }

    private static void Multiply(float* a, float* b, int groups, int steps, byte* r, int* sums, bool accumulates)
    {
        int group = 0;
        for (; Avx512F.IsSupported && group + 1 < groups; group += 2) TwoGroups(a, b + group * GroupColumns * steps, steps, r, sums + 4 * group, accumulates);
        for (; group < groups; group++)
        {
            if (Avx512F.IsSupported) OneGroup(a, b + group * GroupColumns * steps, steps, r, sums + 4 * group, accumulates);
            else
            {
                EightRows(a, b + group * GroupColumns * steps, steps, (float*)(r + sums[4 * group]), (float*)(r + sums[4 * group + 1]), accumulates);
                EightRows(a + 32, b + group * GroupColumns * steps, steps, (float*)(r + sums[4 * group + 2]), (float*)(r + sums[4 * group + 3]), accumulates);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoGroups(float* a, float* b, int steps, byte* r, int* sums, bool accumulates)
    {
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default, c6 = default, c7 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default, d4 = default, d5 = default, d6 = default, d7 = default;
        if (accumulates)
        {
            (c0, c1, c2, c3) = (Sum(r, sums[0], 0), Sum(r, sums[0], 1), Sum(r, sums[1], 0), Sum(r, sums[1], 1));
            (c4, c5, c6, c7) = (Sum(r, sums[2], 0), Sum(r, sums[2], 1), Sum(r, sums[3], 0), Sum(r, sums[3], 1));
            (d0, d1, d2, d3) = (Sum(r, sums[4], 0), Sum(r, sums[4], 1), Sum(r, sums[5], 0), Sum(r, sums[5], 1));
            (d4, d5, d6, d7) = (Sum(r, sums[6], 0), Sum(r, sums[6], 1), Sum(r, sums[7], 0), Sum(r, sums[7], 1));
        }
        float* other = b + GroupColumns * steps;
        for (int k = 0; k < steps; k++, a += StepsOfA, b += GroupColumns, other += GroupColumns)
        {
            Vector512<float> a0 = Vector512.Load(a), a1 = Vector512.Load(a + 16), a2 = Vector512.Load(a + 32), a3 = Vector512.Load(a + 48);
            Vector512<float> even = Avx512F.BroadcastVector128ToVector512(b), odd = Avx512F.BroadcastVector128ToVector512(b + 4);
            (c0, c1, c2, c3) = (Fma(a0, even, c0), Fma(a1, even, c1), Fma(a0, odd, c2), Fma(a1, odd, c3));
            (c4, c5, c6, c7) = (Fma(a2, even, c4), Fma(a3, even, c5), Fma(a2, odd, c6), Fma(a3, odd, c7));
            (even, odd) = (Avx512F.BroadcastVector128ToVector512(other), Avx512F.BroadcastVector128ToVector512(other + 4));
            (d0, d1, d2, d3) = (Fma(a0, even, d0), Fma(a1, even, d1), Fma(a0, odd, d2), Fma(a1, odd, d3));
            (d4, d5, d6, d7) = (Fma(a2, even, d4), Fma(a3, even, d5), Fma(a2, odd, d6), Fma(a3, odd, d7));
        }
        Store(r, sums, c0, c1, c2, c3, c4, c5, c6, c7);
        Store(r, sums + 4, d0, d1, d2, d3, d4, d5, d6, d7);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneGroup(float* a, float* b, int steps, byte* r, int* sums, bool accumulates)
    {
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default, c6 = default, c7 = default;
        if (accumulates)
        {
            (c0, c1, c2, c3) = (Sum(r, sums[0], 0), Sum(r, sums[0], 1), Sum(r, sums[1], 0), Sum(r, sums[1], 1));
            (c4, c5, c6, c7) = (Sum(r, sums[2], 0), Sum(r, sums[2], 1), Sum(r, sums[3], 0), Sum(r, sums[3], 1));
        }
        for (int k = 0; k < steps; k++, a += StepsOfA, b += GroupColumns)
        {
            Vector512<float> a0 = Vector512.Load(a), a1 = Vector512.Load(a + 16), a2 = Vector512.Load(a + 32), a3 = Vector512.Load(a + 48);
            Vector512<float> even = Avx512F.BroadcastVector128ToVector512(b), odd = Avx512F.BroadcastVector128ToVector512(b + 4);
            (c0, c1, c2, c3) = (Fma(a0, even, c0), Fma(a1, even, c1), Fma(a0, odd, c2), Fma(a1, odd, c3));
            (c4, c5, c6, c7) = (Fma(a2, even, c4), Fma(a3, even, c5), Fma(a2, odd, c6), Fma(a3, odd, c7));
        }
        Store(r, sums, c0, c1, c2, c3, c4, c5, c6, c7);
    }

    /// <summary>The same sums eight rows at a time, for processors without vectors of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRows(float* a, float* b, int steps, float* even, float* odd, bool accumulates)
    {
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        if (accumulates)
        {
            (s0, s1, s2, s3) = (Row(even, odd, 0), Row(even, odd, 1), Row(even, odd, 2), Row(even, odd, 3));
            (s4, s5, s6, s7) = (Row(even, odd, 4), Row(even, odd, 5), Row(even, odd, 6), Row(even, odd, 7));
        }
        for (int k = 0; k < steps; k++, a += StepsOfA, b += GroupColumns)
        {
            Vector256<float> row = Vector256.Load(b);
            (s0, s1) = (Fma(a[0], row, s0), Fma(a[4], row, s1));
            (s2, s3) = (Fma(a[8], row, s2), Fma(a[12], row, s3));
            (s4, s5) = (Fma(a[16], row, s4), Fma(a[20], row, s5));
            (s6, s7) = (Fma(a[24], row, s6), Fma(a[28], row, s7));
        }
        Vector512<float> e0 = Vector512.Create(Vector256.Create(s0.GetLower(), s1.GetLower()), Vector256.Create(s2.GetLower(), s3.GetLower()));
        Vector512<float> e1 = Vector512.Create(Vector256.Create(s4.GetLower(), s5.GetLower()), Vector256.Create(s6.GetLower(), s7.GetLower()));
        Vector512<float> o0 = Vector512.Create(Vector256.Create(s0.GetUpper(), s1.GetUpper()), Vector256.Create(s2.GetUpper(), s3.GetUpper()));
        Vector512<float> o1 = Vector512.Create(Vector256.Create(s4.GetUpper(), s5.GetUpper()), Vector256.Create(s6.GetUpper(), s7.GetUpper()));
        FloatOperations.Canonical(e0).Store((uint*)even);
        FloatOperations.Canonical(e1).Store((uint*)even + 16);
        FloatOperations.Canonical(o0).Store((uint*)odd);
        FloatOperations.Canonical(o1).Store((uint*)odd + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Row(float* even, float* odd, int row) => Vector256.Create(Vector128.Load(even + 4 * row), Vector128.Load(odd + 4 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Fma(float a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(Vector256.Create(a), b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Sum(byte* r, int row, int half) => Vector512.Load((float*)(r + row) + 16 * half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Avx512F.FusedMultiplyAdd(a, b, c);

    /// <summary>NaN becomes the one that the hardware writes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(byte* r, int* rows, Vector512<float> c0, Vector512<float> c1, Vector512<float> c2, Vector512<float> c3, Vector512<float> c4, Vector512<float> c5, Vector512<float> c6, Vector512<float> c7)
    {
        Put(r + rows[0], c0, c1);
        Put(r + rows[1], c2, c3);
        Put(r + rows[2], c4, c5);
        Put(r + rows[3], c6, c7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(byte* row, Vector512<float> low, Vector512<float> high)
    {
        FloatOperations.Canonical(low).Store((uint*)row);
        FloatOperations.Canonical(high).Store((uint*)row + 16);
    }
}
