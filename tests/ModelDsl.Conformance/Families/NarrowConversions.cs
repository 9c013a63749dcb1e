using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary><c>cvt</c> to and from BF16, TF32, E4M3 and E5M2, single and in pairs, over every input of the narrow side and every tie.</summary>
public static class NarrowConversions
{
    private static readonly (string Suffix, RoundingMode Mode)[] Modes = [("rn", RoundingMode.NearestEven), ("rz", RoundingMode.Zero)];

    public static IEnumerable<Row> Rows =>
    [
        .. Modes.SelectMany(mode => new[] { "", ".relu" }.Select(variant => Single("bf16", mode.Suffix, mode.Mode, variant))),
        Single("f16", "rn", RoundingMode.NearestEven, ".relu"),
        Single("tf32", "rna", RoundingMode.NearestAway, ""),
        .. Modes.SelectMany(mode => new[] { "bf16x2", "f16x2" }.SelectMany(type =>
            new[] { "", ".relu" }.Select(variant => Pair(type, mode.Suffix, mode.Mode, variant)))),
        .. new[] { "e4m3x2", "e5m2x2" }.SelectMany(type => new[] { ".satfinite", ".satfinite.relu" }.SelectMany(variant =>
            (Row[])[Pair(type, "rn", RoundingMode.NearestEven, variant), FromHalves(type, variant)])),
        .. new[] { "e4m3x2", "e5m2x2" }.SelectMany(type => new[] { "", ".relu" }.Select(variant => ToHalves(type, variant))),
    ];

    private static Row Single(string type, string suffix, RoundingMode mode, string variant) => Elementwise.Row(
        $"cvt.{suffix}{variant}.{type}.f32", $"{type} f32", new Operands(Inputs(FloatFormat.Of(type))), (a, _, _) =>
        {
            // What is no number keeps its bits.
            if (type == "tf32" && FloatFormat.F32.IsNaN(a)) return Expected.Masked(a & 0xFFFFE000, 0xFFFFE000);
            var (bits, mask) = Convert(FloatFormat.F32.Decode(a), FloatFormat.Of(type), mode, variant);
            // TF32 is the upper 19 bits of the register; what is below is left open.
            return type == "tf32" ? Expected.Masked(bits << 13, mask << 13) : Expected.Masked(bits, mask | 0xFFFF0000);
        });

    /// <summary>The first source goes to the upper half.</summary>
    private static Row Pair(string type, string suffix, RoundingMode mode, string variant)
    {
        var f = FloatFormat.Of(type);
        var inputs = Inputs(f);
        // Neighbours in the list are of unlike size, so that halves that change places show.
        ulong[] others = [.. inputs.Select((_, n) => inputs[(n * 7 + 12345) % inputs.Length])];
        return Elementwise.Row($"cvt.{suffix}{variant}.{type}.f32", $"{type} f32 f32", new Operands(inputs, others), (a, b, _) =>
        {
            var (high, highMask) = Convert(FloatFormat.F32.Decode(a), f, mode, variant);
            var (low, lowMask) = Convert(FloatFormat.F32.Decode(b), f, mode, variant);
            return Expected.Masked(high << f.Width | low, highMask << f.Width | lowMask);
        });
    }

    private static Row FromHalves(string type, string variant)
    {
        var f = FloatFormat.Of(type);
        ulong[] pairs = [.. Samples.Halves.Select(half => half << 16 | (half * 40503 & 0xFFFF))];
        return Elementwise.Row($"cvt.rn{variant}.{type}.f16x2", $"{type} f16x2", new Operands(pairs), (a, _, _) =>
        {
            var (high, highMask) = Convert(FloatFormat.F16.Decode(a >> 16), f, RoundingMode.NearestEven, variant);
            var (low, lowMask) = Convert(FloatFormat.F16.Decode(a & 0xFFFF), f, RoundingMode.NearestEven, variant);
            return Expected.Masked(high << 8 | low, highMask << 8 | lowMask);
        });
    }

    /// <summary>All 65 536 pairs.</summary>
    private static Row ToHalves(string type, string variant)
    {
        var f = FloatFormat.Of(type);
        return Elementwise.Row($"cvt.rn{variant}.f16x2.{type}", $"f16x2 {type}", new Operands(Samples.Halves), (a, _, _) =>
        {
            var (high, highMask) = Convert(f.Decode(a >> 8), FloatFormat.F16, RoundingMode.NearestEven, variant);
            var (low, lowMask) = Convert(f.Decode(a & 0xFF), FloatFormat.F16, RoundingMode.NearestEven, variant);
            return Expected.Masked(high << 16 | low, highMask << 16 | lowMask);
        });
    }

    /// <summary>Result and the bits that count: the sign of an FP8 NaN and of a zero out of <c>.relu</c> is left open.</summary>
    private static (ulong Bits, ulong Mask) Convert(Real value, FloatFormat f, RoundingMode mode, string variant)
    {
        var all = f.CanonicalNaN * 2 + 1;
        if (value.IsNaN) return (f.CanonicalNaN, f.Width == 8 ? f.CanonicalNaN : all);
        if (variant.Contains("relu") && (value.Negative || value.IsZero)) return (0, f.CanonicalNaN);
        return (f.Encode(value, mode, saturate: variant.Contains("satfinite")), all);
    }

    private static ulong[] Inputs(FloatFormat f) => [.. Samples.UpperHalves, .. Samples.Around(f)];
}
