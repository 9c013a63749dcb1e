using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// <c>mma.m8n8k4.f64</c>: lane 4g+t holds row g, column t of A, row t, column g of B, and columns 2t, 2t+1 of row g of the
/// accumulator. Operands: two rows of D, one of A, one of B, two of C; products are added in order of k, each fused.
/// </summary>
internal static unsafe class DoubleMatrixMultiply
{
    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        if (mask != Lanes.All) MatrixMultiply.RequireAll(i, mask);
        byte* r = warp->Registers;
        int* o = i->Operands;
        double* a = (double*)(r + o[2]), b = (double*)(r + o[3]), sums = stackalloc double[64];
        for (int lane = 0; lane < 32; lane++)
        {
            int row = lane >> 2;
            for (int half = 0; half < 2; half++)
            {
                int column = 2 * (lane & 3) + half;
                double sum = ((double*)(r + o[4 + half]))[lane];
                for (int k = 0; k < 4; k++) sum = Math.FusedMultiplyAdd(a[4 * row + k], b[4 * column + k], sum);
                sums[32 * half + lane] = sum;
            }
        }
        Rows.Copy((byte*)sums, r + o[0], 256);
        Rows.Copy((byte*)(sums + 32), r + o[1], 256);
        return i + 1;
    }
}
