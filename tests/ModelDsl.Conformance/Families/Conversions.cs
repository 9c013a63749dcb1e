using System.Numerics;
using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary><c>cvt</c> between integers, between integers and floats, and between floats of 16, 32 and 64 bits.</summary>
public static class Conversions
{
    private static readonly string[] Integers = ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"];
    private static readonly string[] Floats = ["f16", "f32", "f64"];

    private static readonly (string Suffix, RoundingMode Mode)[] Modes =
        [("rn", RoundingMode.NearestEven), ("rz", RoundingMode.Zero), ("rm", RoundingMode.Down), ("rp", RoundingMode.Up)];

    public static IEnumerable<Row> Rows =>
    [
        .. Integers.SelectMany(to => Integers.SelectMany(from => BetweenIntegers(to, from))),
        .. Integers[..4].SelectMany(to => Integers.Select(from => IntoWider(to, from, 32))),
        .. Integers[..6].SelectMany(to => Integers.Select(from => IntoWider(to, from, 64))),
        .. Modes.SelectMany(mode => Floats.SelectMany(to => Integers.Select(from => FromInteger(to, from, mode.Suffix, mode.Mode)))),
        .. Modes.SelectMany(mode => Integers.SelectMany(to => Floats.SelectMany(from => ToInteger(to, from, mode.Suffix, mode.Mode)))),
        .. Modes.SelectMany(mode => Floats.SelectMany(type => ToIntegral(type, mode.Suffix, mode.Mode))),
        .. Widening("f32", "f16"), .. Widening("f64", "f16"), .. Widening("f64", "f32"), .. Widening("f32", "bf16"),
        .. Modes.SelectMany(mode => Narrowing("f16", "f32", mode.Suffix, mode.Mode)),
        .. Modes.SelectMany(mode => Narrowing("f16", "f64", mode.Suffix, mode.Mode)),
        .. Modes.SelectMany(mode => Narrowing("f32", "f64", mode.Suffix, mode.Mode)),
    ];

    private static IEnumerable<Row> BetweenIntegers(string to, string from)
    {
        var (width, signed) = (Width(to), to[0] == 's');
        var operands = Samples.Integers(Width(from), 1);
        // Eight bits live in a register of sixteen and are extended by their sign.
        ulong Held(BigInteger value) => Bits.Low((ulong)(signed ? Bits.Signed(Cut(value), width) : (long)Bits.Low(Cut(value), width)), Math.Max(width, 16));
        yield return Elementwise.Row($"cvt.{to}.{from}", $"{Holder(to)} {Holder(from)}", operands, (a, _, _) => Held(Value(a, from)));
        if (Lowest(to) > Lowest(from) || Largest(to) < Largest(from))
            yield return Elementwise.Row($"cvt.sat.{to}.{from}", $"{Holder(to)} {Holder(from)}", operands,
                (a, _, _) => Held(BigInteger.Clamp(Value(a, from), Lowest(to), Largest(to))));
    }

    /// <summary>Into a register wider than the type: extended by the type's sign.</summary>
    private static Row IntoWider(string to, string from, int register) => Elementwise.Row(
        $"cvt.{to}.{from}", $"b{register} {Holder(from)}", Samples.Integers(Width(from), 1), (a, _, _) =>
            Bits.Low(to[0] == 's' ? (ulong)Bits.Signed(Cut(Value(a, from)), Width(to)) : Bits.Low(Cut(Value(a, from)), Width(to)), register)) with
    {
        Detail = $"into {register} bits",
    };

    private static Row FromInteger(string to, string from, string suffix, RoundingMode mode) => Elementwise.Row(
        $"cvt.{suffix}.{to}.{from}", $"{to} {Holder(from)}", Samples.Integers(Width(from), 1),
        (a, _, _) => FloatFormat.Of(to).Encode(Real.Integer(Value(a, from)), mode));

    /// <summary>Clamped to the range of the integer; NaN is 0, or the lowest signed value's bits where 64 bits are involved.</summary>
    private static IEnumerable<Row> ToInteger(string to, string from, string suffix, RoundingMode mode)
    {
        var f = FloatFormat.Of(from);
        foreach (var variant in from == "f32" ? new[] { "", ".ftz" } : [""])
            yield return Elementwise.Row($"cvt.{suffix}i{variant}.{to}.{from}", $"{Holder(to)} {from}", AroundIntegers(f), (a, _, _) =>
            {
                var value = f.Decode(variant.Length > 0 ? f.Flush(a) : a);
                var nan = from == "f64" || Width(to) == 64 ? BigInteger.One << (Width(to) - 1) : 0;
                var result = value.IsNaN ? nan
                    : value.IsInfinite ? (value.Negative ? Lowest(to) : Largest(to))
                    : BigInteger.Clamp(value.ToInteger(mode), Lowest(to), Largest(to));
                return Bits.Low((ulong)(to[0] == 's' ? Bits.Signed(Cut(result), Width(to)) : (long)Cut(result)), Math.Max(Width(to), 16));
            });
    }

    private static IEnumerable<Row> ToIntegral(string type, string suffix, RoundingMode mode)
    {
        var f = FloatFormat.Of(type);
        foreach (var variant in type == "f32" ? new[] { "", ".ftz", ".sat" } : [""])
            yield return Elementwise.Row($"cvt.{suffix}i{variant}.{type}.{type}", $"{type} {type}", AroundIntegers(f), (a, _, _) =>
            {
                var value = f.Decode(variant == ".ftz" ? f.Flush(a) : a);
                if (value.IsFinite) value = Real.Finite(value.Negative, value.Units(0, mode));
                return Finish(f, value, mode, variant);
            });
    }

    private static IEnumerable<Row> Widening(string to, string from)
    {
        var (f, wide) = (FloatFormat.Of(from), FloatFormat.Of(to));
        string[] variants = (to, from) switch { (_, "bf16") => [""], ("f64", "f16") => ["", ".sat"], _ => ["", ".ftz", ".sat"] };
        foreach (var variant in variants)
        {
            var operands = new Operands(f.Width == 16 ? Samples.Halves : Samples.Singles);
            yield return Elementwise.Row($"cvt{variant}.{to}.{from}", $"{to} {from}", operands, (a, _, _) =>
            {
                var value = f.Decode(variant == ".ftz" && from == "f32" ? f.Flush(a) : a);
                return value.IsNaN && from == "bf16" ? Expected.NaN : Finish(wide, value, RoundingMode.NearestEven, variant == ".sat" ? variant : "");
            });
        }
    }

    private static IEnumerable<Row> Narrowing(string to, string from, string suffix, RoundingMode mode)
    {
        var (f, narrow) = (FloatFormat.Of(from), FloatFormat.Of(to));
        ulong[] inputs = from == "f32"
            ? [.. Samples.UpperHalves, .. Samples.Around(narrow)]
            : [.. Samples.Edges(f), .. Samples.Floats(f, 1).Columns[0], .. Ties(narrow)];
        foreach (var variant in from == "f32" ? ["", ".ftz", ".sat"] : to == "f32" ? new[] { "", ".ftz", ".sat" } : ["", ".sat"])
            yield return Elementwise.Row($"cvt.{suffix}{variant}.{to}.{from}", $"{to} {from}", new Operands(inputs), (a, _, _) =>
                from == "f64" && f.IsNaN(a) && variant != ".sat" ? Cut(a, narrow) : Finish(narrow, f.Decode(a), mode, to == "f32" || variant == ".sat" ? variant : ""));
    }

    /// <summary>A double that is no number keeps its sign and the upper bits of its payload, and becomes quiet.</summary>
    private static ulong Cut(ulong nan, FloatFormat narrow)
    {
        var fraction = narrow.Width == 16 ? 10 : 23;
        return (nan >> 63) << (narrow.Width - 1) | narrow.Infinity | 1ul << (fraction - 1) | (nan & 0x000F_FFFF_FFFF_FFFF) >> (52 - fraction);
    }

    /// <summary>Doubles halfway between neighbours of a narrower format, and just beside.</summary>
    private static IEnumerable<ulong> Ties(FloatFormat narrow)
    {
        for (ulong n = 0; n < 2000; n++)
        {
            var code = Samples.Scatter(n, narrow.Width);
            if (!narrow.Decode(code).IsFinite) continue;
            var value = narrow.Decode(code);
            var tie = FloatFormat.F64.Encode(Real.Finite(value.Negative, value.Magnitude * 2 + 1, value.Exponent - 1), RoundingMode.NearestEven);
            yield return tie;
            yield return tie + 1;
            yield return tie - 1;
        }
    }

    private static Expected Finish(FloatFormat f, Real value, RoundingMode mode, string variant)
    {
        if (value.IsNaN) return variant == ".sat" ? 0ul : f == FloatFormat.F64 ? Expected.NaN : f.CanonicalNaN;
        var bits = f.Encode(value, mode);
        if (variant == ".ftz")
        {
            if (f.RoundsToNormal(value, bits)) return Expected.Anything;
            bits = f.Flush(bits);
        }
        if (variant != ".sat") return bits;
        if (f.IsZero(bits)) return Expected.Masked(0, f.CanonicalNaN);
        return value.Negative ? 0ul : Math.Min(bits, f.Encode(Real.Finite(false, 1), mode));
    }

    /// <summary>All of a small format; else its edges, halves and quarters around whole numbers, and every magnitude up to 2^66.</summary>
    private static Operands AroundIntegers(FloatFormat f)
    {
        if (f.Width == 16) return new Operands(Samples.Halves);
        var list = new List<ulong>(Samples.Edges(f));
        for (var n = -40; n <= 40; n++) list.Add(f.Encode(Real.Finite(n < 0, Math.Abs(n), -2), RoundingMode.NearestEven));
        for (var exponent = 5; exponent < 67; exponent++)
            foreach (var offset in new[] { -4, -3, -2, -1, 0, 1, 2, 3, 4 })
                foreach (var negative in new[] { false, true })
                    list.Add(f.Encode(Real.Finite(negative, (BigInteger.One << (exponent + 1)) + offset, -1), RoundingMode.NearestEven));
        for (ulong n = 0; n < 4000; n++)
            list.Add(f.Encode(Real.Finite(n % 2 == 0, Samples.Scatter(n, 54), (int)(n % 70) - 56), RoundingMode.NearestEven));
        return new Operands([.. list]);
    }

    private static int Width(string type) => int.Parse(type.AsSpan(1));

    private static string Holder(string type) => Width(type) == 8 ? "b16" : type;

    private static BigInteger Value(ulong bits, string type) => type[0] == 's' ? Bits.Signed(bits, Width(type)) : Bits.Low(bits, Width(type));

    private static ulong Cut(BigInteger value) => (ulong)(value & ulong.MaxValue);

    private static BigInteger Lowest(string type) => type[0] == 's' ? -(BigInteger.One << (Width(type) - 1)) : 0;

    private static BigInteger Largest(string type) => (BigInteger.One << (Width(type) - (type[0] == 's' ? 1 : 0))) - 1;
}
