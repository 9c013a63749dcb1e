using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>The inner products and weighted sums of the FP32 attention kernels, which serve audits: simple before fast.</summary>
internal static class LaneVectors
{
    /// <summary>Each lane's own product of a row in global memory with a vector in shared memory that all lanes share.</summary>
    public static F32 Dot(KernelBuilder k, SharedPtr<F32> shared, GlobalPtr<F32> row, int width, int distance, Pred exists)
    {
        var sum = k.Var<F32>(0f);
        var vector = VectorWidth.Of(DType.F32, width, distance);
        for (var i = 0; i < width; i += vector)
        {
            var a = (shared + i).LoadVector(vector);
            var b = (row + i).LoadVectorOr(exists, 0f, vector);
            for (var e = 0; e < vector; e++) sum.Set(k.Fma(a[e], b[e], sum));
        }

        return sum;
    }

    /// <summary>Adds <paramref name="weight"/> times a row to sums that are dealt out over the lanes: lane l has columns l, l+32, ….</summary>
    public static void AddScaled(KernelBuilder k, Var<F32>[] sums, GlobalPtr<F32> row, int width, F32 weight)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            var column = k.LaneId + i * 32;
            var value = (i + 1) * 32 <= width ? (row + column).Load() : (row + column).LoadOr(column < width, 0f);
            sums[i].Set(k.Fma(weight, value, sums[i]));
        }
    }

    /// <summary>Sums for a row of <paramref name="width"/> columns dealt out over the lanes.</summary>
    public static Var<F32>[] Sums(KernelBuilder k, int width) => k.Vars<F32>((width + 31) / 32, 0f);
}
