using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Norm;

/// <summary>What RMSNorm multiplies a row by.</summary>
internal static class RmsFactor
{
    /// <summary><c>1 / sqrt(mean(x²) + epsilon)</c> over the values of all threads of the block, the same in each; root and division correctly rounded.</summary>
    public static F32 Of(KernelBuilder k, IEnumerable<F32[]> values, int threads, int width, double epsilon)
    {
        var squares = values.SelectMany(v => v).Aggregate((F32)0f, (sum, x) => sum + x * x);
        var total = threads == 32 ? k.WarpReduceSum(squares) : k.BlockReduceSum(squares, threads, k.Shared<F32>("warp_sums", threads / 32));
        return (F32)1f / k.Sqrt(total / (float)width + (float)epsilon);
    }
}
