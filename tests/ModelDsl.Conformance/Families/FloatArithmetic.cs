using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>Correctly rounded arithmetic, in exact arithmetic and one rounding.</summary>
public static class FloatArithmetic
{
    private static readonly (string Suffix, RoundingMode Mode)[] Modes =
        [("rn", RoundingMode.NearestEven), ("rz", RoundingMode.Zero), ("rm", RoundingMode.Down), ("rp", RoundingMode.Up)];

    private static readonly string[] Variants = ["", ".ftz", ".sat", ".ftz.sat"];

    public static IEnumerable<Row> Rows =>
    [
        .. Modes.SelectMany(mode => Variants.SelectMany(variant => Sums(mode.Suffix, mode.Mode, variant, "f32"))),
        .. Modes.SelectMany(mode => new[] { "", ".ftz" }.SelectMany(variant => Quotients(mode.Suffix, mode.Mode, variant, "f32"))),
        .. Sums("rn", RoundingMode.NearestEven, "", "f64"),
        .. Quotients("rn", RoundingMode.NearestEven, "", "f64"),
        .. Defaults(),
        .. new[] { "f16", "bf16", "f16x2", "bf16x2" }.SelectMany(Halves),
        .. new[] { "f32", "f64", "f16", "bf16", "f16x2", "bf16x2" }.SelectMany(Signs),
        .. new[] { "f32", "f64", "f16", "bf16", "f16x2", "bf16x2" }.SelectMany(Extremes),
    ];

    private static IEnumerable<Row> Sums(string suffix, RoundingMode mode, string variant, string type)
    {
        var tail = $".{suffix}{variant}.{type}";
        yield return Of("add" + tail, type, 2, mode, (a, b, _) => Real.Add(a, b, mode));
        yield return Of("sub" + tail, type, 2, mode, (a, b, _) => Real.Add(a, -b, mode));
        yield return Of("mul" + tail, type, 2, mode, (a, b, _) => Real.Multiply(a, b));
        yield return Of("fma" + tail, type, 3, mode, (a, b, c) => Real.Add(Real.Multiply(a, b), c, mode));
    }

    private static IEnumerable<Row> Quotients(string suffix, RoundingMode mode, string variant, string type)
    {
        var tail = $".{suffix}{variant}.{type}";
        yield return Of("div" + tail, type, 2, mode, (a, b, _) => Real.Divide(a, b));
        yield return Of("sqrt" + tail, type, 1, mode, (a, _, _) => Real.SquareRoot(a));
        yield return Of("rcp" + tail, type, 1, mode, (a, _, _) => Real.Divide(Real.Finite(false, 1), a));
    }

    /// <summary>Without a rounding modifier: to nearest.</summary>
    private static IEnumerable<Row> Defaults()
    {
        yield return Of("add.f32", "f32", 2, RoundingMode.NearestEven, (a, b, _) => Real.Add(a, b, RoundingMode.NearestEven));
        yield return Of("sub.f32", "f32", 2, RoundingMode.NearestEven, (a, b, _) => Real.Add(a, -b, RoundingMode.NearestEven));
        yield return Of("mul.f32", "f32", 2, RoundingMode.NearestEven, (a, b, _) => Real.Multiply(a, b));
    }

    private static IEnumerable<Row> Halves(string type)
    {
        var mode = RoundingMode.NearestEven;
        yield return Of($"add.rn.{type}", type, 2, mode, (a, b, _) => Real.Add(a, b, mode));
        yield return Of($"sub.rn.{type}", type, 2, mode, (a, b, _) => Real.Add(a, -b, mode));
        yield return Of($"mul.rn.{type}", type, 2, mode, (a, b, _) => Real.Multiply(a, b));
        yield return Of($"fma.rn.{type}", type, 3, mode, (a, b, c) => Real.Add(Real.Multiply(a, b), c, mode));
        yield return Of($"fma.rn.relu.{type}", type, 3, mode, (a, b, c) =>
        {
            var sum = Real.Add(Real.Multiply(a, b), c, mode);
            return sum.Negative ? Real.Finite(false, 0) : sum;
        });
    }

    /// <summary>Sign operations touch that bit alone; of NaN only that it stays one is promised.</summary>
    private static IEnumerable<Row> Signs(string type)
    {
        var f = FloatFormat.Of(type);
        var sign = 1ul << (f.Width - 1);
        foreach (var variant in type == "f32" ? new[] { "", ".ftz" } : [""])
        {
            ulong Seen(ulong a) => variant.Length > 0 ? f.Flush(a) : a;
            yield return Lanes($"neg{variant}.{type}", type, 1, (a, _, _) => f.IsNaN(a) ? Expected.NaN : Seen(a) ^ sign);
            yield return Lanes($"abs{variant}.{type}", type, 1, (a, _, _) => f.IsNaN(a) ? Expected.NaN : Seen(a) & ~sign);
        }
    }

    /// <summary>A number wins over NaN, unless <c>.NaN</c> says otherwise; -0 is below +0.</summary>
    private static IEnumerable<Row> Extremes(string type)
    {
        var f = FloatFormat.Of(type);
        string[] variants = type switch { "f32" => ["", ".ftz", ".NaN", ".ftz.NaN"], "f64" => [""], _ => ["", ".NaN"] };
        foreach (var variant in variants)
            foreach (var (name, sign) in new[] { ("min", 1), ("max", -1) })
                yield return Lanes($"{name}{variant}.{type}", type, 2, (a, b, _) =>
                {
                    if (variant.Contains("ftz")) (a, b) = (f.Flush(a), f.Flush(b));
                    var (nanA, nanB) = (f.IsNaN(a), f.IsNaN(b));
                    if (nanA && nanB || (variant.Contains("NaN") && (nanA || nanB))) return type == "f64" ? Expected.NaN : f.CanonicalNaN;
                    if (nanA || nanB) return nanA ? b : a;
                    var order = Real.Compare(f.Decode(a), f.Decode(b));
                    if (order == 0) order = f.Decode(b).Negative.CompareTo(f.Decode(a).Negative);
                    return order * sign <= 0 ? a : b;
                });
    }

    private static Row Of(string form, string type, int sources, RoundingMode mode, Func<Real, Real, Real, Real> exact)
    {
        var f = FloatFormat.Of(type);
        var (flush, saturate) = (form.Contains(".ftz"), form.Contains(".sat"));
        return Lanes(form, type, sources, (a, b, c) =>
        {
            if (flush) (a, b, c) = (f.Flush(a), f.Flush(b), f.Flush(c));
            var value = exact(f.Decode(a), f.Decode(b), f.Decode(c));
            if (value.IsNaN && saturate) return 0ul;
            if (value.IsNaN && type == "f64") return Expected.NaN;
            var bits = f.Encode(value, mode);
            // Whether a value just below the normal range is flushed before or after rounding is not said.
            if (flush && f.RoundsToNormal(value, bits)) return Expected.Anything;
            if (flush) bits = f.Flush(bits);
            if (!saturate || value.IsNaN) return bits;
            if (f.IsZero(bits)) return Expected.Masked(bits, f.CanonicalNaN);
            if (f.Decode(bits).Negative) return 0ul;
            return Math.Min(bits, f.Encode(Real.Finite(false, 1), mode));
        });
    }

    /// <summary>A row of single values; for a packed type the two halves are different cases.</summary>
    internal static Row Lanes(string form, string type, int sources, Func<ulong, ulong, ulong, Expected> expected)
    {
        var f = FloatFormat.Of(type);
        var types = string.Join(' ', Enumerable.Repeat(type, sources + 1));
        var operands = sources == 1 && f.Width == 16 ? new Operands(Samples.Halves) : Samples.Floats(f, sources);
        if (!type.EndsWith("x2")) return Elementwise.Row(form, types, operands, expected);
        var pairs = operands.Columns.Select(column => column.Select((low, n) => low | column[(n + 777) % column.Length] << 16).ToArray());
        return Elementwise.Row(form, types, new Operands([.. pairs]), (a, b, c) =>
            Expected.Pair(expected(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF), expected(a >> 16, b >> 16, c >> 16), f));
    }
}
