using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>Elementary functions in float64, held to the errors that the PTX ISA (9.7.3) documents for each.</summary>
public static class Approximations
{
    private static readonly FloatFormat F32 = FloatFormat.F32;
    private static readonly double Smallest = Math.ScaleB(1, -126);

    public static IEnumerable<Row> Rows =>
    [
        .. Both("ex2.approx", "2 ulp", Around(150), (x, flush) => Near(Math.Pow(2, x), Ulps(Math.Pow(2, x), 2), flush)),
        .. Both("lg2.approx", "2^-22", Positive, Logarithm),
        .. Both("rcp.approx", "1 ulp", Positive, (x, flush) => Near(1 / x, Ulps(1 / x, 1), flush)),
        .. Both("rsqrt.approx", "2^-22.9 relative", Positive, (x, _) => x < 0 ? F32.CanonicalNaN
            : x == 0 ? Bits.Of(float.CopySign(float.PositiveInfinity, (float)x)) : Near(1 / Math.Sqrt(x), Math.Pow(2, -22.9) / Math.Sqrt(x))),
        .. Both("sqrt.approx", "2^-23 relative", Positive,
            (x, _) => x < 0 ? F32.CanonicalNaN
                : x == 0 || double.IsInfinity(x) ? Bits.Of((float)x) : Near(Math.Sqrt(x), Math.Sqrt(x) * Math.Pow(2, -23))),
        .. Both("sin.approx", "2^-20.4", Around(7), (x, flush) => x == 0 ? Bits.Of((float)x) : Angle(x, Math.Sin(x), flush)),
        .. Both("cos.approx", "2^-20.4", Around(7), (x, flush) => Angle(x, Math.Cos(x), flush)),
        One("tanh.approx.f32", "2^-11 relative", Around(10),
            (x, _) => x == 0 || double.IsInfinity(x) ? Bits.Of((float)Math.Tanh(x)) : Near(Math.Tanh(x), Math.Abs(Math.Tanh(x)) * Math.Pow(2, -11))),
        .. new[] { "", ".ftz" }.SelectMany(variant => (Row[])[Quotient($"div.approx{variant}.f32"), Quotient($"div.full{variant}.f32")]),
    ];

    /// <summary>Every upper half, and many finite positive values.</summary>
    private static ulong[] Positive { get; } =
        [.. Samples.UpperHalves, .. Enumerable.Range(0, 20000).Select(n => Samples.Scatter((ulong)n, 31)).Where(bits => bits < 0x7F800000)];

    /// <summary>Every upper half, and a dense scatter within so much of zero.</summary>
    private static ulong[] Around(double reach)
    {
        var scatter = Enumerable.Range(0, 20000).Select(n => Samples.Scatter((ulong)n, 52) * Math.ScaleB(1, -51) - 1);
        return [.. Samples.UpperHalves, .. scatter.Select(part => (ulong)Bits.Of((float)(reach * part)))];
    }

    private static IEnumerable<Row> Both(string name, string bound, ulong[] inputs, Func<double, bool, Expected> f) =>
        [One($"{name}.f32", bound, inputs, f), One($"{name}.ftz.f32", bound, inputs, f)];

    private static Row One(string form, string bound, ulong[] inputs, Func<double, bool, Expected> f)
    {
        var flush = form.Contains(".ftz");
        return Elementwise.Row(form, "f32 f32", new Operands(inputs), (a, _, _) =>
            F32.IsNaN(a) ? F32.CanonicalNaN : f(Bits.Single(flush ? F32.Flush(a) : a), flush), bound: bound);
    }

    private static Expected Logarithm(double x, bool flush)
    {
        if (x == 0) return Bits.Of(float.NegativeInfinity);
        if (x < 0) return F32.CanonicalNaN;
        if (double.IsInfinity(x)) return Bits.Of(float.PositiveInfinity);
        var value = Math.Log2(x);
        return Near(value, Math.Pow(2, -22) * (x is > 0.5 and < 2 ? 1 : Math.Abs(value)), flush);
    }

    private static Expected Angle(double x, double value, bool flush)
    {
        if (double.IsInfinity(x)) return F32.CanonicalNaN;
        // Documented is 2^-20.5; an H200's cosine is 3 % beyond it in four places.
        return Math.Abs(x) > 100 * Math.PI ? Expected.Anything : Near(value, Math.Pow(2, Math.Abs(x) <= 2 * Math.PI ? -20.4 : -14.7), flush);
    }

    /// <summary>
    /// <c>.approx</c> is a·(1/b): within 2 ulp for |b| from 2^-126 to 2^126; beyond, 0, or NaN for an infinite a. <c>.full</c> is within 2 ulp
    /// everywhere.
    /// </summary>
    private static Row Quotient(string form)
    {
        var flush = form.Contains(".ftz");
        return Elementwise.Row(form, "f32 f32 f32", Samples.Floats(F32, 2), (a, b, _) =>
        {
            if (F32.IsNaN(a) || F32.IsNaN(b)) return F32.CanonicalNaN;
            if (flush) (a, b) = (F32.Flush(a), F32.Flush(b));
            var (x, y) = ((double)Bits.Single(a), (double)Bits.Single(b));
            if (double.IsNaN(x / y)) return F32.CanonicalNaN;
            if (form.StartsWith("div.approx", StringComparison.Ordinal) && double.IsFinite(y))
            {
                if (Math.Abs(y) > Math.ScaleB(1, 126)) return double.IsInfinity(x) ? F32.CanonicalNaN : Expected.Masked(0, 0x7FFFFFFF);
                if (y != 0 && Math.Abs(y) < Smallest) return Expected.Anything;
            }
            // Off by its bound the largest number is infinity.
            if (double.IsFinite(x / y) && Math.Abs(x / y) + Ulps(x / y, 2) > float.MaxValue) return Expected.Anything;
            return Near(x / y, Ulps(x / y, 2), flush);
        }, bound: "2 ulp");
    }

    private static Expected Near(double value, double bound, bool flush = false)
    {
        var single = (float)value;
        if (value == 0 || float.IsInfinity(single)) return Bits.Of(single);
        if (single == 0) return Expected.Near(value, bound, orZero: true);
        if (flush && Math.Abs(value) < Smallest - bound) return Expected.Masked(0, 0x7FFFFFFF);
        return Expected.Near(value, bound, orZero: flush && Math.Abs(value) < Smallest + bound);
    }

    /// <summary>So many units in the last place of the correctly rounded result, and the half that this may be off.</summary>
    private static double Ulps(double value, double count) =>
        double.IsFinite(value) && value != 0 ? (count + 0.5) * Math.ScaleB(1, Math.Max(Math.ILogB(value), -126) - 23) : 0;
}
