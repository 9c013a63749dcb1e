using Xunit;

namespace ModelDsl.Testing;

/// <summary>How far computed numbers are from reference values.</summary>
public static class Numbers
{
    /// <summary>‖actual - expected‖ / ‖expected‖ in float64; infinite where a value that should be finite is not.</summary>
    public static double RelativeL2(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0, norm = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            double difference = actual[i] - (double)expected[i];
            error += difference * difference;
            norm += expected[i] * (double)expected[i];
        }
        return double.IsNaN(error) ? double.PositiveInfinity : error == 0 ? 0 : Math.Sqrt(error / norm);
    }

    /// <summary>The largest |actual - expected|; infinite where a value is not a number.</summary>
    public static double MaxAbs(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            var difference = Math.Abs(actual[i] - (double)expected[i]);
            worst = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(worst, difference);
        }
        return worst;
    }
}
