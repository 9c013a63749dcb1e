using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>A binary floating format: how many bits, what its largest number and its NaN look like.</summary>
/// <param name="Precision">Bits of the significand with the hidden one.</param>
/// <param name="MinExponent">Exponent of the smallest normal number.</param>
/// <param name="Largest">Bits of the largest finite number.</param>
/// <param name="Infinity">Bits of infinity, or those of NaN where there is none.</param>
internal sealed record FloatFormat(int Width, int Precision, int MinExponent, ulong Largest, ulong Infinity, ulong NaN)
{
    private static readonly FloatFormat s_f16 = new(16, 11, -14, 0x7BFF, 0x7C00, 0x7FFF);
    private static readonly FloatFormat s_bf16 = new(16, 8, -126, 0x7F7F, 0x7F80, 0x7FFF);
    private static readonly FloatFormat s_f32 = new(32, 24, -126, 0x7F7FFFFF, 0x7F800000, 0x7FFFFFFF);
    private static readonly FloatFormat s_f64 = new(64, 53, -1022, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FFFFFFFFFFFFFFF);
    private static readonly FloatFormat s_e4m3 = new(8, 4, -6, 0x7E, 0x7F, 0x7F);
    private static readonly FloatFormat s_e5m2 = new(8, 3, -14, 0x7B, 0x7C, 0x7F);

    /// <summary>TF32 sits in the upper 19 bits of 32; here without the 13 below.</summary>
    private static readonly FloatFormat s_tf32 = new(19, 11, -126, 0x3FBFF, 0x3FC00, 0x3FFFF);

    public static FloatFormat Of(PtxType type) => type switch
    {
        PtxType.F16 or PtxType.F16x2 => s_f16,
        PtxType.BF16 or PtxType.BF16x2 => s_bf16,
        PtxType.F32 => s_f32,
        PtxType.F64 => s_f64,
        PtxType.TF32 => s_tf32,
        PtxType.E4M3 or PtxType.E4M3x2 => s_e4m3,
        PtxType.E5M2 or PtxType.E5M2x2 => s_e5m2,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a floating type"),
    };

    public Unpacked Unpack(ulong bits)
    {
        ulong sign = 1UL << (Width - 1);
        bool negative = (bits & sign) != 0;
        ulong body = bits & (sign - 1);
        if (body > Largest) return new(body == Infinity && Infinity != NaN ? NumberClass.Infinite : NumberClass.NaN, negative, 0, 0);
        ulong fraction = body & ((1UL << (Precision - 1)) - 1);
        int biased = (int)(body >> (Precision - 1));
        return biased == 0
            ? new(NumberClass.Finite, negative, fraction, MinExponent - Precision + 1)
            : new(NumberClass.Finite, negative, fraction | (1UL << (Precision - 1)), MinExponent - Precision + biased);
    }

    /// <summary>A double that is no number: its sign and the upper bits of its payload, quiet.</summary>
    public ulong CutNaN(ulong bits) =>
        ((bits >> 63) << (Width - 1)) | Infinity | (1UL << (Precision - 2)) | ((bits & 0x000F_FFFF_FFFF_FFFF) >> (53 - Precision));

    /// <summary>Rounds to this format.</summary>
    /// <param name="saturate">What is too large becomes the largest finite number, infinity too.</param>
    public ulong Pack(Unpacked value, Rounding mode, bool saturate)
    {
        ulong sign = value.Negative ? 1UL << (Width - 1) : 0;
        switch (value.Class)
        {
            case NumberClass.NaN: return NaN;
            case NumberClass.Infinite: return sign | (saturate ? Largest : Infinity);
        }
        if (value.Magnitude == 0) return sign;
        int unit = Math.Max(value.Leading, MinExponent) - Precision + 1;
        ulong significand = value.RoundTo(unit, mode);
        // Adding the significand with its hidden bit lets a carry run into the exponent.
        int biased = unit + Precision - 1 - MinExponent;
        ulong body = significand + ((ulong)biased << (Precision - 1));
        if (body <= Largest) return sign | body;
        bool towardsZero = mode == Rounding.Zero || mode == (value.Negative ? Rounding.Up : Rounding.Down);
        return sign | (saturate || towardsZero ? Largest : Infinity);
    }
}
