using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance;

/// <summary>Values to try: all of a small type, the edges and a scatter of a large one. The same every time.</summary>
public static class Samples
{
    private const int Scattered = 3000;

    /// <summary>All 8-bit values.</summary>
    public static ulong[] Bytes { get; } = Range(256);

    /// <summary>All 16-bit values.</summary>
    public static ulong[] Halves { get; } = Range(65536);

    /// <summary>Singles with every upper half: each sign, each exponent, 128 fractions; all of BF16.</summary>
    public static ulong[] UpperHalves { get; } = [.. Halves.Select(upper => upper << 16)];

    /// <summary>The same and their neighbours in single precision.</summary>
    public static ulong[] Singles { get; } = [.. UpperHalves.SelectMany((bits, n) => (ulong[])[bits, bits | Scatter((ulong)n, 16)])];

    /// <summary>
    /// Singles around every value of a narrower format: the value, the middle between it and the next, that middle's two neighbours.
    /// </summary>
    public static ulong[] Around(FloatFormat narrow)
    {
        var list = new List<ulong>();
        for (ulong code = 0; code < 1ul << (narrow.Width - 1); code++)
        {
            var value = narrow.Decode(code);
            if (!value.IsFinite) break;
            var bits = FloatFormat.F32.Encode(value, RoundingMode.NearestEven);
            var next = narrow.Decode(code + 1);
            if (!next.IsFinite) next = Real.Finite(false, value.Magnitude + 1, value.Exponent);
            var half = Real.Multiply(Real.Add(value, next, RoundingMode.NearestEven), Real.Finite(false, 1, -1));
            var middle = FloatFormat.F32.Encode(half, RoundingMode.NearestEven);
            foreach (var magnitude in (ulong[])[bits, middle - 1, middle, middle + 1])
                list.AddRange(magnitude, magnitude | 0x80000000);
        }
        return [.. list.Distinct()];
    }

    /// <summary>Zeros, subnormals, the ends of the normal range, one and its neighbours, infinities, NaNs of several payloads.</summary>
    public static ulong[] Edges(FloatFormat f)
    {
        var unit = f.Encode(Real.Finite(false, 1), RoundingMode.NearestEven);
        var smallest = f.Encode(Real.Finite(false, 1, f.MinExponent), RoundingMode.NearestEven);
        ulong[] positive =
        [
            0, 1, 2, smallest - 1, smallest, smallest + 1, unit - 1, unit, unit + 1, unit + 3, unit + (1ul << (f.FractionBits - 1)),
            unit + (1ul << f.FractionBits), f.LargestFinite - 1, f.LargestFinite, f.Infinity, f.Infinity + 1,
            f.Infinity + (1ul << (f.FractionBits - 1)), f.CanonicalNaN,
        ];
        return [.. positive.SelectMany(bits => (ulong[])[bits, bits | (1ul << (f.Width - 1))])];
    }

    /// <summary>Edges in every combination (fewer of them from three operands on), any bits, and values near one another.</summary>
    public static Operands Floats(FloatFormat f, int sources)
    {
        var edges = Edges(f);
        if (sources > 2) edges = [.. edges.Where((_, n) => n % 3 != 1)];
        return Operands.Cross(edges, sources).Then(Scatter(sources, (n, source, random) =>
        {
            var any = Bits.Low(random, f.Width);
            if (n % 3 == 0) return any;
            // Exponents close to that of one, so that sums and products meet: fraction from the random bits, exponent near the bias.
            var one = f.Encode(Real.Finite(false, 1), RoundingMode.NearestEven);
            var spread = Math.Min(24, f.FractionBits + 2);
            var exponent = (long)(one >> f.FractionBits) + (n % 3 == 1 ? (long)(random >> 54) % spread - spread / 2 : 0);
            return (any & ~(((1ul << (f.Width - 1 - f.FractionBits)) - 1) << f.FractionBits)) | ((ulong)exponent << f.FractionBits);
        }));
    }

    /// <summary>Small numbers, powers of two and their neighbours, both ends.</summary>
    public static ulong[] Edges(int width)
    {
        var top = 1ul << (width - 1);
        ulong[] some =
        [
            0, 1, 2, 3, 5, 7, 10, 15, 16, 31, 32, 33, 63, 64, 65, 100, 127, 128, 255,
            top - 1, top, top + 1, top >> 1, 0x5555555555555555, 1ul << (width / 2),
        ];
        return [.. some.SelectMany(value => (ulong[])[Bits.Low(value, width), Bits.Low(0 - value, width)]).Distinct()];
    }

    /// <summary>Edges in every combination, and numbers of every length.</summary>
    public static Operands Integers(int width, int sources)
    {
        var edges = Edges(width);
        if (sources > 2) edges = [.. edges.Where((_, n) => n % 3 == 0)];
        return Operands.Cross(edges, sources).Then(Scatter(sources, (_, _, random) => Bits.Low(random, width) >> (int)((random >> 58) % (ulong)width)));
    }

    /// <summary>Bits that look random and are the same every time.</summary>
    public static ulong Scatter(ulong seed, int width = 64)
    {
        var x = (seed + 1) * 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return Bits.Low(x ^ (x >> 31), width);
    }

    private static Operands Scatter(int sources, Func<int, int, ulong, ulong> value) => new([.. Enumerable.Range(0, sources).Select(source =>
        Enumerable.Range(0, Scattered).Select(n => value(n, source, Scatter((ulong)(n * sources + source)))).ToArray())]);

    private static ulong[] Range(int count) => [.. Enumerable.Range(0, count).Select(n => (ulong)n)];
}
