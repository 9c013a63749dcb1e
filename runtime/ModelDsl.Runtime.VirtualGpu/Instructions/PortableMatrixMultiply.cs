using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// The sums of <see cref="MatrixMultiply"/>, in the same order and so with the same result, for processors with vectors of
/// eight floats. A column of eight rows is one vector: a register is a tile of 8 rows by 4, and a transposition within the
/// halves of vectors makes four columns of it, rows 0, 2, 4, 6 before 1, 3, 5, 7. Two registers of the accumulator, four columns
/// of all 16 rows, stay in eight vectors while all of k passes; an element of B is broadcast from memory for both their halves.
/// </summary>
internal static unsafe class PortableMatrixMultiply
{
    private const int Lanes = 32, Rows = 8, Quad = 4;

    // Columns of A: eight rows, then the eight below them.
    private const int ColumnOfA = 2 * Rows;

    /// <summary>
    /// Products up to <paramref name="last"/> with the same A and sums in registers. The B of the next one is widened before this one's products,
    /// under which the processor hides that.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TA, TB>(Warp* warp, Instr* i, Instr* last)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        byte* r = warp->Registers;
        WidenedMatrix* matrix = warp->Block->Matrix;
        float* columns = matrix->Columns, b = matrix->Rows, next = b + WidenedMatrix.MaxRowFloats;
        Vector256<uint> special = WidenA<TA>(r, i, matrix) | WidenB<TB>(r, i, b);
        for (; ; i++)
        {
            int* operands = i->Operands;
            Vector256<uint> specialNext = i != last ? WidenB<TB>(r, i + 1, next) : default;
            if (special != default) Again<TA, TB>(r, operands, i->Slot, columns, b);
            Sum(columns, b, r, operands + MatrixMultiply.OperandC, r, operands, i->Slot * TA.Elements);
            if (i == last) return;
            special = specialNext;
            float* widened = next;
            next = b;
            b = widened;
        }
    }

    /// <param name="c">Where from <paramref name="from"/> on the four registers of the accumulator lie.</param>
    /// <param name="d">Where from <paramref name="to"/> on those of the sum are to lie.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate<TA, TB>(Warp* warp, Instr* i, byte* from, int* c, byte* to, int* d)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        byte* r = warp->Registers;
        WidenedMatrix* matrix = warp->Block->Matrix;
        Vector256<uint> special = WidenA<TA>(r, i, matrix) | WidenB<TB>(r, i, matrix->Rows);
        if (special != default) Again<TA, TB>(r, i->Operands, i->Slot, matrix->Columns, matrix->Rows);
        Sum(matrix->Columns, matrix->Rows, from, c, to, d, i->Slot * TA.Elements);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> WidenA<TA>(byte* r, Instr* i, WidenedMatrix* matrix)
        where TA : struct, IFragment =>
        i->D == MatrixMultiply.SameA || matrix->Holds(r, i) ? default : Columns<TA>(r, i->Operands, i->Slot, matrix->Columns);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> WidenB<TB>(byte* r, Instr* i, float* b)
        where TB : struct, IFragment
    {
        Vector256<uint> special = default;
        for (int step = 0; step < i->Slot; step++, b += TB.Elements * Lanes)
        {
            uint* register = (uint*)(r + i->Operands[MatrixMultiply.OperandB + step]);
            special |= TB.Widen(Vector256.Load(register), b, Lanes) | TB.Widen(Vector256.Load(register + Rows), b + Rows, Lanes);
            special |= TB.Widen(Vector256.Load(register + 2 * Rows), b + 2 * Rows, Lanes) | TB.Widen(Vector256.Load(register + 3 * Rows), b + 3 * Rows, Lanes);
        }
        return special;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sum(float* columns, float* b, byte* from, int* c, byte* to, int* d, int quads)
    {
        // All of C is read before any of D is written: they may be the same registers in another order.
        if (from == to && (d[0] == c[1] || d[0] == c[3] || d[2] == c[1] || d[2] == c[3]))
        {
            Crossed(columns, b, from, c, d, quads);
            return;
        }
        Multiply(columns, b, (float*)(from + c[0]), (float*)(from + c[2]), (float*)(to + d[0]), (float*)(to + d[2]), quads);
        Multiply(columns, b + Quad, (float*)(from + c[1]), (float*)(from + c[3]), (float*)(to + d[1]), (float*)(to + d[3]), quads);
    }

    private static void Crossed(float* columns, float* b, byte* r, int* c, int* d, int quads)
    {
        float* even = stackalloc float[2 * Lanes];
        Multiply(columns, b, (float*)(r + c[0]), (float*)(r + c[2]), even, even + Lanes, quads);
        Multiply(columns, b + Quad, (float*)(r + c[1]), (float*)(r + c[3]), (float*)(r + d[1]), (float*)(r + d[3]), quads);
        Instructions.Rows.Copy((byte*)even, r + d[0], Lanes * sizeof(float));
        Instructions.Rows.Copy((byte*)(even + Lanes), r + d[2], Lanes * sizeof(float));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector256<uint> Columns<TA>(byte* r, int* operands, int steps, float* to)
        where TA : struct, IFragment
    {
        Vector256<uint> special = default;
        for (int step = 0; step < steps; step++, to += TA.Elements * Quad * ColumnOfA)
        {
            special |= Columns<TA>((uint*)(r + operands[MatrixMultiply.OperandA + 2 * step]), to);
            special |= Columns<TA>((uint*)(r + operands[MatrixMultiply.OperandA + 2 * step + 1]), to + Rows);
        }
        return special;
    }

    /// <summary>The operands with their infinities and NaNs.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Again<TA, TB>(byte* r, int* operands, int steps, float* a, float* b)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        for (int n = 0; n < steps * TA.Elements; n++)
        {
            int step = n / TA.Elements, e = n % TA.Elements;
            for (int lane = 0; lane < Lanes; lane++)
            {
                int row = lane / Quad, place = row % 2 * Quad + row / 2;
                float* to = a + (n * Quad + lane % Quad) * ColumnOfA + place;
                to[0] = One<TA>(r + operands[MatrixMultiply.OperandA + 2 * step], lane, e);
                to[Rows] = One<TA>(r + operands[MatrixMultiply.OperandA + 2 * step + 1], lane, e);
                b[n * Lanes + lane] = One<TB>(r + operands[MatrixMultiply.OperandB + step], lane, e);
            }
        }
    }

    private static float One<T>(byte* register, int lane, int e)
        where T : struct, IFragment => T.Element(Vector512.Create(((uint*)register)[lane]), e)[0];

    /// <summary>Columns 2t (or, with B advanced by a column, 2t + 1) of 16 rows of sums, <paramref name="quads"/> times four products each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(float* a, float* b, float* topC, float* bottomC, float* topD, float* bottomD, int quads)
    {
        var (s0, s1, s2, s3) = QuadTiles.Transpose(Vector256.Load(topC), Vector256.Load(topC + 8), Vector256.Load(topC + 16), Vector256.Load(topC + 24));
        var (t0, t1, t2, t3) = QuadTiles.Transpose(Vector256.Load(bottomC), Vector256.Load(bottomC + 8), Vector256.Load(bottomC + 16), Vector256.Load(bottomC + 24));
        for (; quads > 0; quads--, a += Quad * ColumnOfA, b += Lanes)
        {
            Products(a, b, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3);
            Products(a + ColumnOfA, b + 1, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3);
            Products(a + 2 * ColumnOfA, b + 2, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3);
            Products(a + 3 * ColumnOfA, b + 3, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3);
        }
        Vector256<uint> unordered = Store(s0, s1, s2, s3, topD) | Store(t0, t1, t2, t3, bottomD);
        if (unordered == Vector256<uint>.Zero) return;
        SingleElementwise.Canonicalise(topD);
        SingleElementwise.Canonicalise(bottomD);
    }

    /// <summary>A column of A times four elements of a row of B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Products(
        float* a, float* b, ref Vector256<float> s0, ref Vector256<float> s1, ref Vector256<float> s2, ref Vector256<float> s3,
        ref Vector256<float> t0, ref Vector256<float> t1, ref Vector256<float> t2, ref Vector256<float> t3)
    {
        Vector256<float> top = Vector256.Load(a), bottom = Vector256.Load(a + Rows), k = Vector256.Create(*b);
        s0 = Vector256.FusedMultiplyAdd(top, k, s0);
        t0 = Vector256.FusedMultiplyAdd(bottom, k, t0);
        k = Vector256.Create(b[2 * Quad]);
        s1 = Vector256.FusedMultiplyAdd(top, k, s1);
        t1 = Vector256.FusedMultiplyAdd(bottom, k, t1);
        k = Vector256.Create(b[4 * Quad]);
        s2 = Vector256.FusedMultiplyAdd(top, k, s2);
        t2 = Vector256.FusedMultiplyAdd(bottom, k, t2);
        k = Vector256.Create(b[6 * Quad]);
        s3 = Vector256.FusedMultiplyAdd(top, k, s3);
        t3 = Vector256.FusedMultiplyAdd(bottom, k, t3);
    }

    /// <summary>A register of A as four columns of each of its elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Columns<TA>(uint* register, float* to)
        where TA : struct, IFragment
    {
        float* bits = (float*)register;
        var (c0, c1, c2, c3) = QuadTiles.Transpose(Vector256.Load(bits), Vector256.Load(bits + 8), Vector256.Load(bits + 16), Vector256.Load(bits + 24));
        return TA.Widen(c0.AsUInt32(), to, Quad * ColumnOfA) | TA.Widen(c1.AsUInt32(), to + ColumnOfA, Quad * ColumnOfA)
            | TA.Widen(c2.AsUInt32(), to + 2 * ColumnOfA, Quad * ColumnOfA) | TA.Widen(c3.AsUInt32(), to + 3 * ColumnOfA, Quad * ColumnOfA);
    }

    /// <summary>Four columns back to a register. Not zero is returned where one of them is no number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Store(Vector256<float> c0, Vector256<float> c1, Vector256<float> c2, Vector256<float> c3, float* to)
    {
        var (r0, r1, r2, r3) = QuadTiles.Transpose(c0, c1, c2, c3);
        r0.Store(to);
        r1.Store(to + 8);
        r2.Store(to + 16);
        r3.Store(to + 24);
        return SingleElementwise.Unordered(c0, c1) | SingleElementwise.Unordered(c2, c3);
    }
}
