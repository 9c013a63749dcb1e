using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal enum NumberClass { Finite, Infinite, NaN }

/// <summary>A number of any type taken apart exactly: ±<see cref="Magnitude"/>·2^<see cref="Exponent"/>.</summary>
internal readonly record struct Unpacked(NumberClass Class, bool Negative, ulong Magnitude, int Exponent)
{
    /// <summary>Takes the low bits of a register apart.</summary>
    public static Unpacked From(PtxType type, ulong bits) => type switch
    {
        PtxType.U8 or PtxType.B8 => new(NumberClass.Finite, false, (byte)bits, 0),
        PtxType.U16 or PtxType.B16 => new(NumberClass.Finite, false, (ushort)bits, 0),
        PtxType.U32 or PtxType.B32 => new(NumberClass.Finite, false, (uint)bits, 0),
        PtxType.U64 or PtxType.B64 => new(NumberClass.Finite, false, bits, 0),
        PtxType.S8 => Integer((sbyte)bits),
        PtxType.S16 => Integer((short)bits),
        PtxType.S32 => Integer((int)bits),
        PtxType.S64 => Integer((long)bits),
        _ => FloatFormat.Of(type).Unpack(bits),
    };

    public static Unpacked Integer(long value) => new(NumberClass.Finite, value < 0, value < 0 ? 0 - (ulong)value : (ulong)value, 0);

    /// <summary>Magnitude in units of 2^<paramref name="unit"/>, rounded.</summary>
    public ulong RoundTo(int unit, Rounding mode)
    {
        int shift = unit - Exponent;
        if (Magnitude == 0) return 0;
        if (shift <= 0) return Magnitude << -shift;
        ulong whole = shift > 63 ? 0 : Magnitude >> shift;
        ulong rest = shift > 64 ? 1 : shift == 64 ? Magnitude : Magnitude & ((1UL << shift) - 1);
        // Compares the rest with half a unit; beyond 64 bits it is always less.
        int half = shift > 64 ? -1 : rest.CompareTo(1UL << (shift - 1));
        bool up = mode switch
        {
            Rounding.NearestEven => half > 0 || (half == 0 && (whole & 1) != 0),
            Rounding.NearestAway => half >= 0,
            Rounding.Down => Negative && rest != 0,
            Rounding.Up => !Negative && rest != 0,
            _ => false,
        };
        return up ? whole + 1 : whole;
    }

    /// <summary>Exponent of the leading bit.</summary>
    public int Leading => Exponent + 63 - Bits.LeadingZeroCount(Magnitude);
}
