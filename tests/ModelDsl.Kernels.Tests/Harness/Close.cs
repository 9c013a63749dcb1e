using ModelDsl.Compiler.Graph;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>Comparison with float64 references.</summary>
public static class Close
{
    /// <summary>
    /// Products of E4M3. Hopper's tensor cores keep 13 bits behind the largest term of an instruction, so on hardware the peers' distance, 1 - 2 Σxy / Σ(x² + y²), takes the place of
    /// the elements' own; theirs has to be below a thousandth, and this is what such sums give and what operands have no part in.
    /// </summary>
    public static void ToFp8Products(IReadOnlyList<double> expected, float[] actual, DType type, double absolute)
    {
        if (TestDevice.IsHardware) PeerCriteria.Close(expected, actual, double.PositiveInfinity, 0, cosine: 1e-5);
        else To(expected, actual, type, absolute);
    }

    /// <summary>
    /// Every value within the rounding of its type: half a unit in the last place of BF16, or a few of FP32 (1e-6), of the value itself, and
    /// <paramref name="absolute"/> for what cancels before it is rounded.
    /// </summary>
    public static void To(IReadOnlyList<double> expected, float[] actual, DType type, double absolute = 1e-6)
    {
        Assert.Equal(expected.Count, actual.Length);
        var relative = type == DType.BF16 ? 1.001 / 256 : 1e-6;
        for (var i = 0; i < actual.Length; i++)
            if (!(Math.Abs(actual[i] - expected[i]) <= relative * Math.Abs(expected[i]) + absolute))
                Assert.Fail($"Element {i} is {actual[i]:R}, should be {expected[i]:R}.");
    }
}
