using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Rope;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Rope;

public sealed class RopeQueryTests
{
    [Theory]
    [InlineData(1, 0, 2, DType.F32)]
    [InlineData(3, 13, 6, DType.BF16)]
    [InlineData(3, 13, 6, DType.F32)]
    [InlineData(5, 10, 6, DType.BF16)]
    [InlineData(4, 64, 32, DType.F32)]
    [InlineData(16, 128, 64, DType.BF16)]
    [InlineData(7, 12, 44, DType.BF16)]
    public void RotatesTheLastPartOfEveryHead(int heads, int nope, int rope, DType io)
    {
        const int Context = 9;
        int[] positions = [8, 0, 3];
        var head = nope + rope;
        var q = Samples.Normal(1, positions.Length * heads * head, io);
        var (cos, sin) = Samples.Rotary(Context, rope);
        using var run = new KernelRun(new RopeQueryKernel(heads, nope, rope, io))
            .Set("q", q).Set("cos", cos).Set("sin", sin).Set("positions", positions).Number("tokens", 3).Launch(3);

        var expected = q.Select(x => (double)x).ToArray();
        for (var at = nope; at < q.Length; at += head)
        for (var i = 0; i < rope / 2; i++)
        {
            var angle = positions[at / (heads * head)] * (rope / 2) + i;
            var (a, b) = ((double)q[at + 2 * i], (double)q[at + 2 * i + 1]);
            expected[at + 2 * i] = a * cos[angle] - b * sin[angle];
            expected[at + 2 * i + 1] = a * sin[angle] + b * cos[angle];
        }

        Close.To(expected, run.Floats("q"), io);
    }
}
