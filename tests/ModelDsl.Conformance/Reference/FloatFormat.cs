namespace ModelDsl.Conformance.Reference;

/// <summary>A binary floating format by its definition: sign, exponent field, fraction field.</summary>
/// <param name="Width">Bits in all.</param>
/// <param name="FractionBits">Bits after the hidden one.</param>
/// <param name="HasInfinity">False for E4M3, whose only special pattern is NaN.</param>
public sealed record FloatFormat(int Width, int FractionBits, bool HasInfinity = true)
{
    public static readonly FloatFormat E4M3 = new(8, 3, HasInfinity: false);
    public static readonly FloatFormat E5M2 = new(8, 2);
    public static readonly FloatFormat F16 = new(16, 10);
    public static readonly FloatFormat BF16 = new(16, 7);

    /// <summary>Without the 13 bits below it in a 32-bit register.</summary>
    public static readonly FloatFormat TF32 = new(19, 10);

    public static readonly FloatFormat F32 = new(32, 23);
    public static readonly FloatFormat F64 = new(64, 52);

    private int ExponentMask => (1 << (Width - 1 - FractionBits)) - 1;

    private int Bias => ExponentMask >> 1;

    private ulong Sign => 1ul << (Width - 1);

    private ulong FractionMask => (1ul << FractionBits) - 1;

    /// <summary>Exponent of the smallest normal number.</summary>
    public int MinExponent => 1 - Bias;

    /// <summary>All ones but the sign: what NVIDIA GPUs write for NaN.</summary>
    public ulong CanonicalNaN => Sign - 1;

    public ulong Infinity => (ulong)ExponentMask << FractionBits;

    public ulong LargestFinite => HasInfinity ? Infinity - 1 : CanonicalNaN - 1;

    /// <summary>By the suffix in an opcode; pairs by that of their elements.</summary>
    public static FloatFormat Of(string type) => type switch
    {
        "e4m3" or "e4m3x2" => E4M3,
        "e5m2" or "e5m2x2" => E5M2,
        "f16" or "f16x2" => F16,
        "bf16" or "bf16x2" => BF16,
        "tf32" => TF32,
        "f32" => F32,
        "f64" => F64,
        _ => throw new ArgumentException($"'{type}' is no floating type", nameof(type)),
    };

    public bool IsNaN(ulong bits) => (bits & (Sign - 1)) > (HasInfinity ? Infinity : LargestFinite);

    public bool IsSubnormal(ulong bits) => (bits & Infinity) == 0 && (bits & FractionMask) != 0;

    public bool IsZero(ulong bits) => (bits & (Sign - 1)) == 0;

    /// <summary>A subnormal becomes a zero of its sign.</summary>
    public ulong Flush(ulong bits) => IsSubnormal(bits) ? bits & Sign : bits;

    /// <summary>True where a value below the normal range rounds up into it: flushed before or after rounding, that makes a difference.</summary>
    public bool RoundsToNormal(Real value, ulong rounded) =>
        value is { IsFinite: true, IsZero: false } && value.Leading < MinExponent && !IsSubnormal(rounded) && !IsZero(rounded);

    public Real Decode(ulong bits)
    {
        var negative = (bits & Sign) != 0;
        if (IsNaN(bits)) return Real.NaN;
        if (HasInfinity && (bits & (Sign - 1)) == Infinity) return Real.Infinite(negative);
        var exponent = (int)(bits >> FractionBits) & ExponentMask;
        var fraction = bits & FractionMask;
        return exponent == 0
            ? Real.Finite(negative, fraction, MinExponent - FractionBits)
            : Real.Finite(negative, fraction + FractionMask + 1, exponent - Bias - FractionBits);
    }

    /// <summary>The nearest value of this format, in the sense of <paramref name="mode"/>; NaN becomes <see cref="CanonicalNaN"/>.</summary>
    /// <param name="saturate">What is too large, infinity too, becomes the largest finite number.</param>
    public ulong Encode(Real value, RoundingMode mode, bool saturate = false)
    {
        if (value.IsNaN) return CanonicalNaN;
        var sign = value.Negative ? Sign : 0;
        var infinite = sign | (saturate ? LargestFinite : HasInfinity ? Infinity : CanonicalNaN);
        if (value.IsInfinite) return infinite;
        if (value.IsZero) return sign;
        var unit = Math.Max(value.Leading, MinExponent) - FractionBits;
        var significand = value.Units(unit, mode);
        if (significand >> FractionBits == 2) (significand, unit) = (significand >> 1, unit + 1);
        var exponent = significand >> FractionBits == 0 ? 0 : unit + FractionBits + Bias;
        var inward = mode == RoundingMode.Zero || mode == (value.Negative ? RoundingMode.Up : RoundingMode.Down);
        if (exponent > ExponentMask) return inward ? sign | LargestFinite : infinite;
        var bits = ((ulong)exponent << FractionBits) | ((ulong)significand & FractionMask);
        if (bits > LargestFinite) return inward ? sign | LargestFinite : infinite;
        return sign | bits;
    }
}
