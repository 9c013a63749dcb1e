using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// The sums of <see cref="MatrixMultiply"/>, in the same order and so with the same result, for processors without two-vector
/// permutations: the accumulator as 16 rows of 8, a row of B times an element of A at a time.
/// </summary>
internal static unsafe class PortableMatrixMultiply
{
    private const int Rows = 16, Columns = 8, Lanes = 32, Quad = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate<TA, TB>(byte* r, int* operands, int steps, float* c0, float* c1, float* c2, float* c3, float* d0, float* d1, float* d2, float* d3)
        where TA : struct, IFragment
        where TB : struct, IFragment
    {
        float* sum = stackalloc float[Rows * Columns], a = stackalloc float[Rows * Quad], column = stackalloc float[Lanes], b = stackalloc float[Lanes];
        for (int lane = 0; lane < Lanes; lane++)
        {
            float* top = sum + lane / Quad * Columns + 2 * (lane % Quad), bottom = top + 8 * Columns;
            (top[0], top[1], bottom[0], bottom[1]) = (c0[lane], c1[lane], c2[lane], c3[lane]);
        }
        for (int step = 0; step < steps; step++)
        {
            byte* top = r + operands[MatrixMultiply.OperandA + 2 * step], bottom = r + operands[MatrixMultiply.OperandA + 2 * step + 1], rowB = r + operands[MatrixMultiply.OperandB + step];
            for (int e = 0; e < TA.Elements; e++)
            {
                for (int half = 0; half < 2; half++)
                {
                    TA.Element(Execution.Lanes.Load(top, half), e).Store(a + 16 * half);
                    TA.Element(Execution.Lanes.Load(bottom, half), e).Store(a + Lanes + 16 * half);
                    TB.Element(Execution.Lanes.Load(rowB, half), e).Store(column + 16 * half);
                }
                for (int lane = 0; lane < Lanes; lane++) b[lane % Quad * Columns + lane / Quad] = column[lane];
                Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8), b2 = Vector256.Load(b + 16), b3 = Vector256.Load(b + 24);
                for (int row = 0; row < Rows; row++)
                {
                    float* k = a + row * Quad;
                    Vector256<float> s = Vector256.FusedMultiplyAdd(Vector256.Create(k[0]), b0, Vector256.Load(sum + row * Columns));
                    s = Vector256.FusedMultiplyAdd(Vector256.Create(k[1]), b1, s);
                    s = Vector256.FusedMultiplyAdd(Vector256.Create(k[2]), b2, s);
                    Vector256.FusedMultiplyAdd(Vector256.Create(k[3]), b3, s).Store(sum + row * Columns);
                }
            }
        }
        for (int lane = 0; lane < Lanes; lane++)
        {
            float* top = sum + lane / Quad * Columns + 2 * (lane % Quad), bottom = top + 8 * Columns;
            (d0[lane], d1[lane], d2[lane], d3[lane]) = (top[0], top[1], bottom[0], bottom[1]);
        }
    }
}
