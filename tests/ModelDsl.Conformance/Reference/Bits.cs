using System.Runtime.InteropServices;

namespace ModelDsl.Conformance.Reference;

/// <summary>Numbers as bits and bytes.</summary>
public static class Bits
{
    /// <summary>As <c>0x7FFF</c>, with as many digits as the width in bytes asks for.</summary>
    public static string Hex(ulong bits, int width) => "0x" + bits.ToString("X" + 2 * width);

    public static uint Of(float value) => BitConverter.SingleToUInt32Bits(value);

    public static ulong Of(double value) => BitConverter.DoubleToUInt64Bits(value);

    public static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    /// <summary>The low bytes of each value, one after the other.</summary>
    /// <param name="width">Bytes of each: 1, 2, 4 or 8.</param>
    public static byte[] Bytes(IReadOnlyList<ulong> values, int width)
    {
        var bytes = new byte[values.Count * width];
        for (var n = 0; n < values.Count; n++)
        {
            var value = values[n];
            for (var b = 0; b < width; b++) bytes[n * width + b] = (byte)(value >> (8 * b));
        }
        return bytes;
    }

    public static byte[] Bytes(IReadOnlyList<uint> words) => MemoryMarshal.AsBytes(words.ToArray().AsSpan()).ToArray();

    /// <summary>The low bits as a number with a sign.</summary>
    public static long Signed(ulong bits, int width) => (long)(bits << (64 - width)) >> (64 - width);

    /// <summary>The low bits alone.</summary>
    public static ulong Low(ulong bits, int width) => width == 64 ? bits : bits & ((1ul << width) - 1);
}
