using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Gemm;

public class HeadGemmTests
{
    /// <summary>Heads, rows, nope, rope, v, rank: as in a small V3; odd sizes; a batch that takes two tiles.</summary>
    public static TheoryData<int, int, int, int, int, int> Models { get; } = new()
    {
        { 4, 1, 64, 32, 64, 128 }, { 3, 5, 24, 8, 20, 36 }, { 2, 3, 15, 6, 9, 33 }, { 2, 20, 64, 16, 70, 136 },
    };

    /// <summary>The query's nope part through the key up-projection: <c>q_latent = q · W</c>, with W inside <c>kv_b</c>.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void Queries_absorb_the_key_projection(int heads, int rows, int nope, int rope, int v, int rank)
    {
        foreach (var io in new[] { DType.BF16, DType.F32 })
        {
            var (q, kvB) = (Samples.Normal(1, rows * heads * (nope + rope), io), Samples.Normal(2, heads * (nope + v) * rank, io));
            var kernel = new HeadGemmKernel(
                heads, rank, nope, heads * (nope + rope), nope + rope, (nope + v) * rank, 0, true, heads * rank, rank, io);
            using var run = new KernelRun(kernel);
            run.Set("a", q).Set("w", kvB).Output("c", rows * heads * rank).Number("rows", rows).Launch(rows);
            var expected = new double[rows * heads * rank];
            for (var h = 0; h < heads; h++)
                Scatter(expected, heads, h, rank, GemmReference.Multiply(
                    rows, rank, nope, (i, d) => q[(i * heads + h) * (nope + rope) + d], (j, d) => kvB[(h * (nope + v) + d) * rank + j]));
            Close.To(expected, run.Floats("c"), io, GemmReference.Slack(nope));
        }
    }

    /// <summary>
    /// The attended latent through the value up-projection: <c>o = latent · Wᵀ</c>, with W behind the keys' inside <c>kv_b</c>.
    /// </summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void Outputs_absorb_the_value_projection(int heads, int rows, int nope, int rope, int v, int rank)
    {
        _ = rope;
        foreach (var io in new[] { DType.BF16, DType.F32 })
        {
            var (latent, kvB) = (Samples.Normal(3, rows * heads * rank, io), Samples.Normal(4, heads * (nope + v) * rank, io));
            var kernel = new HeadGemmKernel(heads, v, rank, heads * rank, rank, (nope + v) * rank, nope * rank, false, heads * v, v, io);
            using var run = new KernelRun(kernel);
            run.Set("a", latent).Set("w", kvB).Output("c", rows * heads * v).Number("rows", rows).Launch(rows);
            var expected = new double[rows * heads * v];
            for (var h = 0; h < heads; h++)
                Scatter(expected, heads, h, v, GemmReference.Multiply(
                    rows, v, rank, (i, d) => latent[(i * heads + h) * rank + d], (j, d) => kvB[(h * (nope + v) + nope + j) * rank + d]));
            Close.To(expected, run.Floats("c"), io, GemmReference.Slack(rank));
        }
    }

    private static void Scatter(double[] to, int heads, int head, int width, double[] from)
    {
        for (var i = 0; i < from.Length; i++) to[(i / width * heads + head) * width + i % width] = from[i];
    }
}
