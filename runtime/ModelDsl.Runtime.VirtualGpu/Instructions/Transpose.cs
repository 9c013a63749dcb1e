using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Vector loads and stores of 32-bit words by lanes that lie in sequence: memory has lane-major order, rows register-major.</summary>
internal static unsafe class Transpose
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<TCount>(byte* from, byte* registers, int* rows)
        where TCount : struct, ICount
    {
        int n = TCount.Value;
        for (int half = 0; half < 2; half++, from += 64 * n)
        {
            uint* p = (uint*)from;
            if (n == 2)
            {
                Vector512<uint> a = Vector512.Load(p), b = Vector512.Load(p + 16);
                Pick(a, b, 0, 2).Store((uint*)(registers + rows[0]) + 16 * half);
                Pick(a, b, 1, 2).Store((uint*)(registers + rows[1]) + 16 * half);
                continue;
            }
            Vector512<uint> v0 = Vector512.Load(p), v1 = Vector512.Load(p + 16), v2 = Vector512.Load(p + 32), v3 = Vector512.Load(p + 48);
            for (int k = 0; k < 4; k++)
            {
                // Lanes 0-3 of v0 and 4-7 of v1 come together in the low half, the other eight likewise.
                Vector512<uint> low = Pick(v0, v1, k, 4), high = Pick(v2, v3, k, 4);
                Vector512.Create(low.GetLower(), high.GetLower()).Store((uint*)(registers + rows[k]) + 16 * half);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TCount>(byte* to, byte* registers, int* rows)
        where TCount : struct, ICount
    {
        int n = TCount.Value;
        uint* p = (uint*)to;
        for (int lane = 0; lane < 32; lane++, p += n)
            for (int k = 0; k < n; k++) p[k] = ((uint*)(registers + rows[k]))[lane];
    }

    /// <summary>Elements start, start+step, … of a and b in sequence; with step 4 only the low half means something.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Pick(Vector512<uint> a, Vector512<uint> b, int start, int step)
    {
        Vector512<uint> index = (Vector512<uint>.Indices * Vector512.Create((uint)step) + Vector512.Create((uint)start)) & Vector512.Create(31u);
        if (Avx512F.IsSupported) return Avx512F.PermuteVar16x32x2(a, index, b);
        Vector512<uint> result = default;
        for (int i = 0; i < 16; i++)
        {
            int from = (int)index[i];
            result = result.WithElement(i, from < 16 ? a[from] : b[from - 16]);
        }
        return result;
    }
}
