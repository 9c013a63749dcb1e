namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>How others compare attention with its reference.</summary>
public static class PeerCriteria
{
    /// <summary>
    /// The same infinities; every other element within an absolute or a relative distance; and 1 - 2 Σxy / Σ(x² + y²) below a limit.
    /// </summary>
    public static void Close(IReadOnlyList<double> expected, IReadOnlyList<float> actual, double absolute, double relative, double cosine)
    {
        Assert.Equal(expected.Count, actual.Count);
        double products = 0, squares = 0;
        for (var i = 0; i < actual.Count; i++)
        {
            var (x, y) = (expected[i], (double)actual[i]);
            if (double.IsInfinity(x) && x.Equals(y)) continue;
            var distance = Math.Abs(x - y);
            if (!(distance < absolute || distance < relative * Math.Abs(x))) Assert.Fail($"Element {i} is {y:R}, should be {x:R}.");
            (products, squares) = (products + x * y, squares + x * x + y * y);
        }
        if (squares > 0) Assert.InRange(1 - 2 * products / squares, -1e-12, cosine);
    }
}
