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
/// of 8-bit values). Operands: four of D, four of A, two of B, four of C; <c>Slot</c> is the number of steps in k.
/// </remarks>
internal static unsafe class MatrixMultiply
{
    private const int OperandA = 4, OperandB = 8, OperandC = 10;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Run<TA, TB>(Warp* warp, Instr* i, uint mask)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        if (mask != Lanes.All) throw new FaultException($"mma.sync needs all 32 lanes of the warp; active are 0x{mask:x8}", i, -1);
        byte* r = warp->Registers;
        int* operands = i->Operands;
        Accumulator kind = (Accumulator)i->Imm;
        Vector512<float> c0l, c0h, c1l, c1h, c2l, c2h, c3l, c3h;
        if (kind == Accumulator.F32)
        {
            float* c0 = (float*)(r + operands[OperandC]), c1 = (float*)(r + operands[OperandC + 1]);
            float* c2 = (float*)(r + operands[OperandC + 2]), c3 = (float*)(r + operands[OperandC + 3]);
            (c0l, c0h, c1l, c1h) = (Vector512.Load(c0), Vector512.Load(c0 + 16), Vector512.Load(c1), Vector512.Load(c1 + 16));
            (c2l, c2h, c3l, c3h) = (Vector512.Load(c2), Vector512.Load(c2 + 16), Vector512.Load(c3), Vector512.Load(c3 + 16));
        }
        else if (kind == Accumulator.F16)
        {
            byte* top = r + operands[OperandC], bottom = r + operands[OperandC + 1];
            (c0l, c0h) = (VectorFormats.FromF16(Lanes.Load(top, 0)), VectorFormats.FromF16(Lanes.Load(top, 1)));
            (c1l, c1h) = (VectorFormats.FromF16(Lanes.Load(top, 0) >> 16), VectorFormats.FromF16(Lanes.Load(top, 1) >> 16));
            (c2l, c2h) = (VectorFormats.FromF16(Lanes.Load(bottom, 0)), VectorFormats.FromF16(Lanes.Load(bottom, 1)));
            (c3l, c3h) = (VectorFormats.FromF16(Lanes.Load(bottom, 0) >> 16), VectorFormats.FromF16(Lanes.Load(bottom, 1) >> 16));
        }
        else
        {
            c0l = c0h = c1l = c1h = c2l = c2h = c3l = c3h = Vector512<float>.Zero;
        }
        Vector512<int> even0 = EvenColumns, odd0 = even0 + Vector512.Create(4);
        for (int step = 0; step < i->Slot; step++)
        {
            byte* top = r + operands[OperandA + 2 * step], bottom = r + operands[OperandA + 2 * step + 1], b = r + operands[OperandB + step];
            Vector512<uint> tl = Lanes.Load(top, 0), th = Lanes.Load(top, 1), ul = Lanes.Load(bottom, 0), uh = Lanes.Load(bottom, 1);
            Vector512<uint> bl = Lanes.Load(b, 0), bh = Lanes.Load(b, 1);
            for (int e = 0; e < TA.Elements; e++)
            {
                Vector512<float> a0 = TA.Element(tl, e), a1 = TA.Element(th, e), a2 = TA.Element(ul, e), a3 = TA.Element(uh, e);
                Vector512<float> b0 = TB.Element(bl, e), b1 = TB.Element(bh, e);
                Vector512<int> even = even0, odd = odd0;
                Vector512<float> p, q = Columns(b0, even, b1), s = Columns(b0, odd, b1);
                p = Spread0(a0); c0l = Fma(p, q, c0l); c1l = Fma(p, s, c1l);
                p = Spread0(a1); c0h = Fma(p, q, c0h); c1h = Fma(p, s, c1h);
                p = Spread0(a2); c2l = Fma(p, q, c2l); c3l = Fma(p, s, c3l);
                p = Spread0(a3); c2h = Fma(p, q, c2h); c3h = Fma(p, s, c3h);
                (even, odd) = (even + Vector512<int>.One, odd + Vector512<int>.One);
                (q, s) = (Columns(b0, even, b1), Columns(b0, odd, b1));
                p = Spread1(a0); c0l = Fma(p, q, c0l); c1l = Fma(p, s, c1l);
                p = Spread1(a1); c0h = Fma(p, q, c0h); c1h = Fma(p, s, c1h);
                p = Spread1(a2); c2l = Fma(p, q, c2l); c3l = Fma(p, s, c3l);
                p = Spread1(a3); c2h = Fma(p, q, c2h); c3h = Fma(p, s, c3h);
                (even, odd) = (even + Vector512<int>.One, odd + Vector512<int>.One);
                (q, s) = (Columns(b0, even, b1), Columns(b0, odd, b1));
                p = Spread2(a0); c0l = Fma(p, q, c0l); c1l = Fma(p, s, c1l);
                p = Spread2(a1); c0h = Fma(p, q, c0h); c1h = Fma(p, s, c1h);
                p = Spread2(a2); c2l = Fma(p, q, c2l); c3l = Fma(p, s, c3l);
                p = Spread2(a3); c2h = Fma(p, q, c2h); c3h = Fma(p, s, c3h);
                (even, odd) = (even + Vector512<int>.One, odd + Vector512<int>.One);
                (q, s) = (Columns(b0, even, b1), Columns(b0, odd, b1));
                p = Spread3(a0); c0l = Fma(p, q, c0l); c1l = Fma(p, s, c1l);
                p = Spread3(a1); c0h = Fma(p, q, c0h); c1h = Fma(p, s, c1h);
                p = Spread3(a2); c2l = Fma(p, q, c2l); c3l = Fma(p, s, c3l);
                p = Spread3(a3); c2h = Fma(p, q, c2h); c3h = Fma(p, s, c3h);
            }
        }
        if (kind == Accumulator.F32)
        {
            float* d0 = (float*)(r + operands[0]), d1 = (float*)(r + operands[1]), d2 = (float*)(r + operands[2]), d3 = (float*)(r + operands[3]);
            c0l.Store(d0); c0h.Store(d0 + 16);
            c1l.Store(d1); c1h.Store(d1 + 16);
            c2l.Store(d2); c2h.Store(d2 + 16);
            c3l.Store(d3); c3h.Store(d3 + 16);
        }
        else if (kind == Accumulator.F16)
        {
            byte* top = r + operands[0], bottom = r + operands[1];
            Lanes.Store(top, VectorFormats.ToF16(c0l) | (VectorFormats.ToF16(c1l) << 16), VectorFormats.ToF16(c0h) | (VectorFormats.ToF16(c1h) << 16), mask);
            Lanes.Store(bottom, VectorFormats.ToF16(c2l) | (VectorFormats.ToF16(c3l) << 16), VectorFormats.ToF16(c2h) | (VectorFormats.ToF16(c3h) << 16), mask);
        }
        else
        {
            bool saturate = kind == Accumulator.S32Saturated;
            int c = operands[OperandC], c1 = operands[OperandC + 1], c2 = operands[OperandC + 2], c3 = operands[OperandC + 3];
            // All of C is read before any of D is written; they may be the same registers in another order.
            Vector512<uint> s0l = Sum(r, c, 0, c0l, saturate), s0h = Sum(r, c, 1, c0h, saturate), s1l = Sum(r, c1, 0, c1l, saturate), s1h = Sum(r, c1, 1, c1h, saturate);
            Vector512<uint> s2l = Sum(r, c2, 0, c2l, saturate), s2h = Sum(r, c2, 1, c2h, saturate), s3l = Sum(r, c3, 0, c3l, saturate), s3h = Sum(r, c3, 1, c3h, saturate);
            Lanes.Store(r + operands[0], s0l, s0h, mask);
            Lanes.Store(r + operands[1], s1l, s1h, mask);
            Lanes.Store(r + operands[2], s2l, s2h, mask);
            Lanes.Store(r + operands[3], s3l, s3h, mask);
        }
        return i + 1;
    }

    /// <summary>Places of columns 0, 2, 4, 6 of B for t = 0 in the two vectors that hold columns 0-3 and 4-7.</summary>
    private static Vector512<int> EvenColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24);
    }

    private static Vector512<uint> Sum(byte* r, int row, int half, Vector512<float> products, bool saturate)
    {
        Vector512<uint> c = Lanes.Load(r + row, half), p = Vector512.ConvertToInt32(products).AsUInt32();
        return saturate ? IntegerOperations.AddSat.Apply(c, p) : c + p;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Columns(Vector512<float> low, Vector512<int> index, Vector512<float> high)
    {
        if (Avx512F.IsSupported) return Avx512F.PermuteVar16x32x2(low, index, high);
        Vector128<float> four = Vector128.Create(low[index[0]], low[index[1]], high[index[2] - 16], high[index[3] - 16]);
        return Vector512.Create(Vector256.Create(four), Vector256.Create(four));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread0(Vector512<float> a) => Vector512.Shuffle(a, Vector512.Create(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread1(Vector512<float> a) => Vector512.Shuffle(a, Vector512.Create(1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread2(Vector512<float> a) => Vector512.Shuffle(a, Vector512.Create(2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10, 10, 14, 14, 14, 14));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Spread3(Vector512<float> a) => Vector512.Shuffle(a, Vector512.Create(3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15));
}
