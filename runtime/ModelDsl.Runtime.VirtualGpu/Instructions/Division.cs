using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// 32-bit integer division through doubles: the quotient of two 32-bit integers is further from the next integer than a
/// double's rounding error, so truncating it is exact. Division by zero gives all ones, as on the hardware.
/// </summary>
internal static class Division
{
    // With this as its bits a double counts ones in its mantissa: an integer below 2^32 put there is that much more.
    private const ulong One = 0x4330_0000_0000_0000;

    public static Vector512<uint> Unsigned(Vector512<uint> a, Vector512<uint> b)
    {
        var (a0, a1) = Vector512.Widen(a);
        var (b0, b1) = Vector512.Widen(b);
        return Vector512.Narrow(Quotient(a0, b0), Quotient(a1, b1)) | Vector512.Equals(b, Vector512<uint>.Zero);
    }

    /// <summary>Towards zero.</summary>
    public static Vector512<uint> Signed(Vector512<uint> a, Vector512<uint> b)
    {
        Vector512<uint> magnitude = Unsigned(Vector512.Abs(a.AsInt32()).AsUInt32(), Vector512.Abs(b.AsInt32()).AsUInt32());
        Vector512<uint> sign = ((a ^ b).AsInt32() >> 31).AsUInt32();
        return ((magnitude ^ sign) - sign) | Vector512.Equals(b, Vector512<uint>.Zero);
    }

    /// <summary>In the low halves.</summary>
    private static Vector512<ulong> Quotient(Vector512<ulong> a, Vector512<ulong> b)
    {
        Vector512<ulong> bits = Vector512.Create(One);
        Vector512<double> one = bits.AsDouble();
        return (Vector512.Floor(((a | bits).AsDouble() - one) / ((b | bits).AsDouble() - one)) + one).AsUInt64();
    }
}
