using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// <c>mma.sync</c> of 16 rows by 8 columns. Lane 4g+t holds row g (and g+8) of A, column g of B, and columns 2t, 2t+1 of rows
/// g, g+8 of the accumulator, so a register's 32 lanes are an 8 by 4 tile already: one permutation spreads column k of A over
/// the lanes of its row, another row k of B over all rows, and eight vector FMAs add their product to the accumulator.
/// </summary>
/// <remarks>
/// Products are summed in single precision in order of k within a register; integers are exact in it (at most 32 products
/// of 8-bit values). Operands: four of D, four of A, two of B, four of C; <c>Slot</c> is the number of steps in k. <c>E</c> products
/// with the same A stand behind this one, and those with accumulators in single precision are run along with it.
/// </remarks>
internal static unsafe class MatrixMultiply
{
    public const int OperandA = 4, OperandB = 8, OperandC = 10;

    /// <summary>In <c>D</c>: A is that of the product before, which nothing has written to since.</summary>
    public const int SameA = 1;
    private const int RowFloats = 32;

    /// <summary>Accumulators in single precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Single<TA, TB>(Warp* warp, Instr* i, uint mask)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        if (mask != Lanes.All) RequireAll(i, mask);
        byte* r = warp->Registers;
        Instr* last = i + i->E;
        warp->Executed += (uint)i->E;
        if (!Avx512F.IsSupported) PortableMatrixMultiply.Run<TA, TB>(warp, i, last);
        else for (; i <= last; i++) Accumulate<TA, TB>(warp, i, r, i->Operands + OperandC, r, i->Operands);
        return last + 1;
    }

    /// <summary>Accumulators in pairs of halves: rounded to them once, at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Half<TA, TB>(Warp* warp, Instr* i, uint mask)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        if (mask != Lanes.All) RequireAll(i, mask);
        byte* r = warp->Registers;
        int* o = i->Operands;
        float* sum = stackalloc float[4 * RowFloats];
        for (int pair = 0; pair < 2; pair++)
        {
            for (int half = 0; half < 2; half++)
            {
                Vector512<uint> c = Lanes.Load(r + o[OperandC + pair], half);
                VectorFormats.FromF16(c).Store(sum + 2 * pair * RowFloats + 16 * half);
                VectorFormats.FromF16(c >> 16).Store(sum + (2 * pair + 1) * RowFloats + 16 * half);
            }
        }
        InPlace<TA, TB>(warp, i, sum);
        for (int pair = 0; pair < 2; pair++)
        {
            for (int half = 0; half < 2; half++)
            {
                Vector512<uint> low = VectorFormats.ToF16(Vector512.Load(sum + 2 * pair * RowFloats + 16 * half));
                Vector512<uint> high = VectorFormats.ToF16(Vector512.Load(sum + (2 * pair + 1) * RowFloats + 16 * half));
                (low | (high << 16)).Store((uint*)(r + o[pair]) + 16 * half);
            }
        }
        return i + 1;
    }

    /// <summary>Accumulators in integers; <c>Imm</c>: saturating.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Integer<TA, TB>(Warp* warp, Instr* i, uint mask)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        if (mask != Lanes.All) RequireAll(i, mask);
        byte* r = warp->Registers;
        int* o = i->Operands;
        float* products = stackalloc float[4 * RowFloats];
        int* sum = stackalloc int[4 * RowFloats];
        new Span<float>(products, 4 * RowFloats).Clear();
        InPlace<TA, TB>(warp, i, products);
        // All of C is read before any of D is written: they may be the same registers in another order.
        for (int n = 0; n < 4 * RowFloats; n++)
        {
            long exact = (long)((int*)(r + o[OperandC + n / RowFloats]))[n % RowFloats] + (int)products[n];
            sum[n] = i->Imm != 0 ? (int)Math.Clamp(exact, int.MinValue, int.MaxValue) : (int)exact;
        }
        for (int n = 0; n < 4; n++) Rows.Copy((byte*)(sum + n * RowFloats), r + o[n], 128);
        return i + 1;
    }

    /// <summary>Adds products to 16 by 8 sums that are no registers.</summary>
    private static void InPlace<TA, TB>(Warp* warp, Instr* i, float* sums)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        int* rows = stackalloc int[] { 0, 4 * RowFloats, 8 * RowFloats, 12 * RowFloats };
        if (Avx512F.IsSupported) Accumulate<TA, TB>(warp, i, (byte*)sums, rows, (byte*)sums, rows);
        else PortableMatrixMultiply.Accumulate<TA, TB>(warp, i, (byte*)sums, rows, (byte*)sums, rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Accumulate<TA, TB>(Warp* warp, Instr* i, byte* from, int* c, byte* to, int* d)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        byte* r = warp->Registers;
        int* operands = i->Operands;
        int steps = i->Slot;
        float* c0 = (float*)(from + c[0]), c1 = (float*)(from + c[1]), c2 = (float*)(from + c[2]), c3 = (float*)(from + c[3]);
        Vector512<float> c0l = Vector512.Load(c0), c0h = Vector512.Load(c0 + 16), c1l = Vector512.Load(c1), c1h = Vector512.Load(c1 + 16);
        Vector512<float> c2l = Vector512.Load(c2), c2h = Vector512.Load(c2 + 16), c3l = Vector512.Load(c3), c3h = Vector512.Load(c3 + 16);
        for (int step = 0; step < steps; step++)
        {
            byte* top = r + operands[OperandA + 2 * step], bottom = r + operands[OperandA + 2 * step + 1], b = r + operands[OperandB + step];
            for (int e = 0; e < TA.Elements; e++)
            {
                Vector512<float> a0 = TA.Element(Lanes.Load(top, 0), e), a1 = TA.Element(Lanes.Load(top, 1), e);
                Vector512<float> a2 = TA.Element(Lanes.Load(bottom, 0), e), a3 = TA.Element(Lanes.Load(bottom, 1), e);
                Vector512<float> b0 = TB.Element(Lanes.Load(b, 0), e), b1 = TB.Element(Lanes.Load(b, 1), e);
                // Even columns of B in row t of the tile, then odd ones: 0, 2, 4, 6 repeated for every row of A.
                Vector512<float> q = Columns(b0, Vector512.Create(0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24), b1);
                Vector512<float> s = Columns(b0, Vector512.Create(4, 12, 20, 28, 4, 12, 20, 28, 4, 12, 20, 28, 4, 12, 20, 28), b1);
                Vector512<float> p = Spread0(a0);
                (c0l, c1l) = (Fma(p, q, c0l), Fma(p, s, c1l));
                p = Spread0(a1);
                (c0h, c1h) = (Fma(p, q, c0h), Fma(p, s, c1h));
                p = Spread0(a2);
                (c2l, c3l) = (Fma(p, q, c2l), Fma(p, s, c3l));
                p = Spread0(a3);
                (c2h, c3h) = (Fma(p, q, c2h), Fma(p, s, c3h));
                q = Columns(b0, Vector512.Create(1, 9, 17, 25, 1, 9, 17, 25, 1, 9, 17, 25, 1, 9, 17, 25), b1);
                s = Columns(b0, Vector512.Create(5, 13, 21, 29, 5, 13, 21, 29, 5, 13, 21, 29, 5, 13, 21, 29), b1);
                p = Spread1(a0);
                (c0l, c1l) = (Fma(p, q, c0l), Fma(p, s, c1l));
                p = Spread1(a1);
                (c0h, c1h) = (Fma(p, q, c0h), Fma(p, s, c1h));
                p = Spread1(a2);
                (c2l, c3l) = (Fma(p, q, c2l), Fma(p, s, c3l));
                p = Spread1(a3);
                (c2h, c3h) = (Fma(p, q, c2h), Fma(p, s, c3h));
                q = Columns(b0, Vector512.Create(2, 10, 18, 26, 2, 10, 18, 26, 2, 10, 18, 26, 2, 10, 18, 26), b1);
                s = Columns(b0, Vector512.Create(6, 14, 22, 30, 6, 14, 22, 30, 6, 14, 22, 30, 6, 14, 22, 30), b1);
                p = Spread2(a0);
                (c0l, c1l) = (Fma(p, q, c0l), Fma(p, s, c1l));
                p = Spread2(a1);
                (c0h, c1h) = (Fma(p, q, c0h), Fma(p, s, c1h));
                p = Spread2(a2);
                (c2l, c3l) = (Fma(p, q, c2l), Fma(p, s, c3l));
                p = Spread2(a3);
                (c2h, c3h) = (Fma(p, q, c2h), Fma(p, s, c3h));
                q = Columns(b0, Vector512.Create(3, 11, 19, 27, 3, 11, 19, 27, 3, 11, 19, 27, 3, 11, 19, 27), b1);
                s = Columns(b0, Vector512.Create(7, 15, 23, 31, 7, 15, 23, 31, 7, 15, 23, 31, 7, 15, 23, 31), b1);
                p = Spread3(a0);
                (c0l, c1l) = (Fma(p, q, c0l), Fma(p, s, c1l));
                p = Spread3(a1);
                (c0h, c1h) = (Fma(p, q, c0h), Fma(p, s, c1h));
                p = Spread3(a2);
                (c2l, c3l) = (Fma(p, q, c2l), Fma(p, s, c3l));
                p = Spread3(a3);
                (c2h, c3h) = (Fma(p, q, c2h), Fma(p, s, c3h));
            }
        }
        float* d0 = (float*)(to + d[0]), d1 = (float*)(to + d[1]), d2 = (float*)(to + d[2]), d3 = (float*)(to + d[3]);
        Store(c0l, d0);
        Store(c0h, d0 + 16);
        Store(c1l, d1);
        Store(c1h, d1 + 16);
        Store(c2l, d2);
        Store(c2h, d2 + 16);
        Store(c3l, d3);
        Store(c3h, d3 + 16);
    }

    /// <summary>NaN becomes the one that the hardware writes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> sum, float* to) => FloatOperations.Canonical(sum).Store((uint*)to);

    public static void RequireAll(Instr* i, uint mask) => throw new FaultException(FindingKind.InactiveLanes, $"mma.sync needs all 32 lanes of the warp; active are 0x{mask:x8}", i, -1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Avx512F.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Columns(Vector512<float> low, Vector512<int> index, Vector512<float> high) => Avx512F.PermuteVar16x32x2(low, index, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread0(Vector512<float> a) => Avx512F.Permute4x32(a, 0b00_00_00_00);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread1(Vector512<float> a) => Avx512F.Permute4x32(a, 0b01_01_01_01);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread2(Vector512<float> a) => Avx512F.Permute4x32(a, 0b10_10_10_10);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread3(Vector512<float> a) => Avx512F.Permute4x32(a, 0b11_11_11_11);
}
