using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Scheduling;

public class RopeTableTests
{
    [Fact]
    public void Frequencies_are_those_of_the_reference()
    {
        var golden = Safetensors.Load(Repository.PathTo("tests", "goldens", "micro", "goldens.safetensors"));
        var expected = golden["rope.inv_freq"].Floats();
        var table = RopeTable.Of(Models.Micro.Attention, 48);
        Assert.Equal(expected.Length, table.InverseFrequencies.Count);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                Math.Abs(expected[i] - table.InverseFrequencies[i]) <= MathF.BitIncrement(expected[i]) - expected[i],
                $"{i}: {expected[i]:R} {table.InverseFrequencies[i]:R}");
        Assert.Equal(1f, table.Factor);

        // The tables that the runtime makes of it, as float32 products.
        var cos = golden["rope.cos"].Floats();
        for (var position = 0; position < 48; position++)
            for (var i = 0; i < expected.Length; i++)
                Assert.InRange(
                    MathF.Cos(position * table.InverseFrequencies[i]) * table.Factor - cos[position * expected.Length + i], -3e-6f, 3e-6f);
    }

    /// <summary>YaRN in float64 from its equations, for the published dimensions: the ramp runs from pair 10 to pair 23 of 32.</summary>
    [Fact]
    public void DeepSeek_V3_mixes_between_pairs_10_and_23()
    {
        var table = RopeTable.Of(Models.V3.Attention, 4096);
        for (var i = 0; i < 32; i++)
        {
            var plain = Math.Pow(10000, -2.0 * i / 64);
            var ramp = Math.Clamp((i - 10) / 13.0, 0, 1);
            var expected = plain / 40 * ramp + plain * (1 - ramp);
            Assert.Equal(1, table.InverseFrequencies[i] / expected, 6);
        }
    }

    [Fact]
    public void Without_YaRN_frequencies_are_plain()
    {
        var table = RopeTable.Of(Models.Odd.Attention, 10);
        Assert.Equal(3, table.InverseFrequencies.Count);

        // Exponents are float32, as in the reference: ln(10000) / 2^24 relative.
        for (var i = 0; i < 3; i++) Assert.Equal(1, table.InverseFrequencies[i] * Math.Pow(10000, 2 * i / 6.0), 6);
        Assert.Equal(1f, table.Factor);
    }

    [Theory]
    [InlineData(1.0, 1.0, 1.0)]
    [InlineData(0.707, 0.707, 1.0)]
    [InlineData(1.0, 0.0, 1.3688879454113936)]
    [InlineData(1.0, 0.5, 1.1557220)]
    public void The_factor_on_cos_and_sin(double mscale, double allDim, double expected)
    {
        var rope = new RopeSpec(10000, new YarnSpec(40, 4096, 32, 1, mscale, allDim, Origin.None), Origin.None);
        Assert.Equal(expected, RopeTable.Of(Models.V3.Attention with { Rope = rope }, 10).Factor, 6);
    }

    [Fact]
    public void Softmax_scales_are_the_published_ones()
    {
        Assert.Equal(0.13523378, SoftmaxScale.Of(Models.V3.Attention), 8);
        Assert.Equal(0.11472139, SoftmaxScale.Of(Models.V2Lite.Attention), 8);
        Assert.Equal(1 / Math.Sqrt(26), SoftmaxScale.Of(Models.Odd.Attention), 12);
        var extended = Models.V3.Attention.Rope.Yarn! with { Factor = 1 };
        Assert.Equal(
            1 / Math.Sqrt(192), SoftmaxScale.Of(Models.V3.Attention with { Rope = new RopeSpec(10000, extended, Origin.None) }), 12);
    }
}
