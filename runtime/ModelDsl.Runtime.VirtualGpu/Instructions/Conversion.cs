using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>What a <c>cvt</c> does.</summary>
/// <param name="Integral">Round to a whole number (<c>.rni</c> and the like).</param>
internal readonly record struct ConversionSpec(PtxType To, PtxType From, Rounding Rounding, bool Integral, bool Saturate, bool SaturateFinite, bool Flush, bool Relu)
{
    public ulong Encode() =>
        (ulong)To | ((ulong)From << 8) | ((ulong)Rounding << 16) | Bit(Integral, 24) | Bit(Saturate, 25) | Bit(SaturateFinite, 26) | Bit(Flush, 27) | Bit(Relu, 28);

    public static ConversionSpec Decode(ulong bits) => new(
        (PtxType)(byte)bits, (PtxType)(byte)(bits >> 8), (Rounding)(byte)(bits >> 16),
        (bits >> 24 & 1) != 0, (bits >> 25 & 1) != 0, (bits >> 26 & 1) != 0, (bits >> 27 & 1) != 0, (bits >> 28 & 1) != 0);

    private static ulong Bit(bool value, int position) => value ? 1UL << position : 0;
}

/// <summary>Every <c>cvt</c>, one value at a time and exact. The frequent ones have vector forms elsewhere.</summary>
internal static unsafe class Conversion
{
    public static ulong Convert(in ConversionSpec spec, ulong bits)
    {
        Unpacked value = Unpacked.From(spec.From, bits);
        // Hardware does not flush what becomes a half.
        if (spec.Flush && spec.From == PtxType.F32 && spec.To != PtxType.F16 && value.Magnitude != 0 && value.Leading < -126) value = value with { Magnitude = 0 };
        if (!spec.To.IsFloat()) return ToInteger(spec, value, bits);
        if (spec.Saturate)
        {
            if (value.Class == NumberClass.NaN || value.Negative) return 0;
            if (value.Class == NumberClass.Infinite || (value.Magnitude != 0 && value.Leading >= 0)) value = new(NumberClass.Finite, false, 1, 0);
        }
        if (value.Class == NumberClass.NaN && spec is { From: PtxType.F64, To: PtxType.F32 or PtxType.F16 }) return FloatFormat.Of(spec.To).CutNaN(bits);
        if (spec.Relu && value.Negative && value.Class != NumberClass.NaN) value = new(NumberClass.Finite, false, 0, 0);
        if (spec.Integral && value.Class == NumberClass.Finite && value.Exponent < 0)
            value = value with { Magnitude = value.RoundTo(0, spec.Rounding), Exponent = 0 };
        ulong result = FloatFormat.Of(spec.To).Pack(value, spec.Rounding, spec.SaturateFinite);
        if (spec.To == PtxType.TF32) return result << 13;
        if (spec.Flush && spec.To == PtxType.F32 && (result & 0x7F800000) == 0) result &= 0x80000000;
        return result;
    }

    private static ulong ToInteger(in ConversionSpec spec, Unpacked value, ulong bits)
    {
        int width = spec.To.Size() * 8;
        ulong mask = width == 64 ? ulong.MaxValue : (1UL << width) - 1;
        bool signed = spec.To.IsSigned();
        // Between integers a value that does not fit is cut off, unless .sat asks otherwise.
        if (!spec.From.IsFloat() && !spec.Saturate) return (value.Negative ? 0 - value.Magnitude : value.Magnitude) & mask;
        if (value.Class == NumberClass.NaN) return spec.From == PtxType.F64 || width == 64 ? 1UL << (width - 1) : 0;
        ulong largest = signed ? mask >> 1 : mask;
        ulong lowest = signed ? largest + 1 : 0;
        bool huge = value.Class == NumberClass.Infinite || (value.Magnitude != 0 && value.Leading >= 64);
        ulong magnitude = huge ? ulong.MaxValue : value.RoundTo(0, spec.Rounding);
        if (value.Negative) return (0 - Math.Min(magnitude, lowest)) & mask;
        return Math.Min(magnitude, largest);
    }

    /// <summary>D = cvt(A). E and F tell whether source and destination rows have 64 bits.</summary>
    public static Instr* Scalar(Warp* warp, Instr* i, uint mask)
    {
        ConversionSpec spec = ConversionSpec.Decode(i->Imm);
        byte* from = warp->Registers + i->A, to = warp->Registers + i->D;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong result = Convert(spec, i->E != 0 ? ((ulong*)from)[lane] : ((uint*)from)[lane]);
            // A register wider than the type takes the value extended by its sign.
            if (spec.To == PtxType.S8) result = (ulong)(sbyte)result;
            else if (spec.To == PtxType.S16 && i->Slot > 2) result = (ulong)(short)result;
            else if (spec.To == PtxType.S32 && i->F != 0) result = (ulong)(int)result;
            if (i->F != 0) ((ulong*)to)[lane] = result;
            else ((uint*)to)[lane] = i->Slot == 2 ? (ushort)result : (uint)result;
        }
        return i + 1;
    }

    /// <summary>D = cvt(A) in the upper half, cvt(B) in the lower: two singles to a pair.</summary>
    public static Instr* PackPair(Warp* warp, Instr* i, uint mask)
    {
        ConversionSpec spec = ConversionSpec.Decode(i->Imm);
        int shift = spec.To.Size() == 4 ? 16 : 8;
        uint* high = (uint*)(warp->Registers + i->A), low = (uint*)(warp->Registers + i->B), to = (uint*)(warp->Registers + i->D);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            to[lane] = (uint)((Convert(spec, high[lane]) << shift) | Convert(spec, low[lane]));
        }
        return i + 1;
    }

    /// <summary>A pair to a pair of another format.</summary>
    public static Instr* ConvertPair(Warp* warp, Instr* i, uint mask)
    {
        ConversionSpec spec = ConversionSpec.Decode(i->Imm);
        int from = spec.From.Size() * 4, shift = spec.To.Size() * 4;
        uint cut = (1u << from) - 1;
        uint* source = (uint*)(warp->Registers + i->A), to = (uint*)(warp->Registers + i->D);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint pair = source[lane];
            to[lane] = (uint)((Convert(spec, pair >> from) << shift) | Convert(spec, pair & cut));
        }
        return i + 1;
    }
}
