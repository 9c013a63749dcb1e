using ModelDsl.Compiler.Kernels.Sampling;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Sampling;

public sealed class TopPTests
{
    [Theory]
    [InlineData(7, 7, 1f, 1f)]
    [InlineData(256, 250, 0.8f, 0.9f)]
    [InlineData(512, 512, 1.3f, 0.5f)]
    [InlineData(1001, 1001, 1f, 0.95f)]
    [InlineData(2000, 1990, 0.6f, 1f)]
    public void FollowsTheInverseOfTheCumulativeDistribution(int vocabulary, int valid, float temperature, float topP)
    {
        const int Rows = 21;
        var row = Samples.Normal(vocabulary, vocabulary, deviation: 2);
        var uniforms = Enumerable.Range(0, Rows).Select(i => Math.Min(i / (Rows - 1f), 0.9999999f)).ToArray();
        var ids = Run(vocabulary, valid, [.. Enumerable.Repeat(row, Rows).SelectMany(x => x)], uniforms, temperature, topP);

        var (probabilities, cumulative) = Nucleus(row[..valid], temperature, topP);
        for (var i = 0; i < Rows; i++)
        {
            Assert.InRange(ids[i], 0, valid - 1);
            Assert.True(probabilities[ids[i]] > 0, $"id {ids[i]} is outside of the nucleus");
            Assert.InRange(uniforms[i], cumulative[ids[i]] - probabilities[ids[i]] - 2e-6, cumulative[ids[i]] + 2e-6);
        }
    }

    [Fact]
    public void HandlesARealVocabulary()
    {
        const int Vocabulary = 129280;
        var row = Samples.Normal(5, Vocabulary, deviation: 3);
        float[] uniforms = [0.25f, 0.75f];
        var ids = Run(Vocabulary, 128815, [.. row, .. row], uniforms, 0.9f, 0.9f);
        var (probabilities, cumulative) = Nucleus(row[..128815], 0.9f, 0.9f);
        for (var i = 0; i < 2; i++)
            Assert.InRange(uniforms[i], cumulative[ids[i]] - probabilities[ids[i]] - 1e-4, cumulative[ids[i]] + 1e-4);
    }

    [Theory]
    [InlineData(1e-9f, 1f)]
    [InlineData(0f, 1f)]
    [InlineData(1f, 0f)]
    [InlineData(1f, 1e-5f)]
    public void ColdOrNarrowIsArgmax(float temperature, float topP)
    {
        var row = Samples.Normal(9, 300);
        Assert.Equal([Array.IndexOf(row, row.Max())], Run(300, 300, row, [0.99f], temperature, topP));
    }

    [Fact]
    public void IdsAsProbableAsTheLastOneBelongToTheNucleus()
    {
        // 0.4, then four times 0.15: half of the mass needs one of the four, so all of them are in.
        var row = new[] { 0.15, 0.4, 0.15, 0.15, 0.15 }.Select(p => (float)Math.Log(p)).ToArray();
        float[] uniforms = [0, 0.16f, 0.54f, 0.56f, 0.69f, 0.71f, 0.84f, 0.86f, 0.999f];
        Assert.Equal([0, 1, 1, 2, 2, 3, 3, 4, 4], Run(5, 5, [.. uniforms.SelectMany(_ => row)], uniforms, 1, 0.5f));
    }

    [Fact]
    public void ImpossibleIdsAreNeverChosen()
    {
        float[] row = [float.NegativeInfinity, 0, float.NegativeInfinity, 0, float.NegativeInfinity];
        Assert.Equal([1, 1, 3, 3], Run(5, 5, [.. row, .. row, .. row, .. row], [0, 0.49f, 0.51f, 1f], 1, 1));
    }

    [Fact]
    public void HopelessLogitsGiveTheFirstId() =>
        Assert.Equal([0, 0], Run(3, 3, [float.NaN, float.NaN, float.NaN, .. Enumerable.Repeat(float.NegativeInfinity, 3)], [0.5f, 0.5f], 1, 0.9f));

    private static int[] Run(int vocabulary, int valid, float[] logits, float[] uniforms, float temperature, float topP)
    {
        var rows = uniforms.Length;
        using var run = new KernelRun(new TopPKernel(vocabulary))
            .Set("logits", logits).Set("uniform", uniforms).Number("temperature", temperature).Number("top_p", topP).Number("valid", valid)
            .Output("out", rows).Number("rows", rows).Launch(rows);
        return run.Ints("out");
    }

    /// <summary>Probabilities within the nucleus, and their running sums by id.</summary>
    private static (double[] Probabilities, double[] Cumulative) Nucleus(float[] logits, double temperature, double topP)
    {
        var largest = logits.Max();
        var powers = logits.Select(x => Math.Exp((x - largest) / temperature)).ToArray();
        var all = powers.Sum();
        double sum = 0;
        var threshold = 0.0;
        foreach (var power in powers.OrderDescending())
        {
            threshold = power;
            if ((sum += power) >= topP * all) break;
        }

        var inside = powers.Select(p => p >= threshold ? p : 0).ToArray();
        var mass = inside.Sum();
        sum = 0;
        return ([.. inside.Select(p => p / mass)], [.. inside.Select(p => (sum += p) / mass)]);
    }
}
