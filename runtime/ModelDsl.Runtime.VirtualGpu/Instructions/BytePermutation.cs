using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// <c>prmt</c>: each byte of the result is one of the eight of a and b, by a nibble of c; its top bit asks for the sign of the byte in all
/// its bits. With a and b side by side two lanes' bytes are one 16-byte table.
/// </summary>
internal readonly struct BytePermutation : ITernary32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c) => Avx2.IsSupported
        ? Vector512.Create(Eight(a.GetLower(), b.GetLower(), c.GetLower()), Eight(a.GetUpper(), b.GetUpper(), c.GetUpper()))
        : Wide.Map(a, b, c, One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Eight(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c)
    {
        // The four low nibbles of c, a byte each.
        c &= Vector256.Create(0xFFFFu);
        Vector256<uint> nibbles = (c | (c << 8)) & Vector256.Create(0x00FF00FFu);
        nibbles = (nibbles | (nibbles << 4)) & Vector256.Create(0x0F0F0F0Fu);
        Vector256<byte> index = ((nibbles & Vector256.Create(0x07070707u)) | Vector256.Create(0u, 0x08080808, 0, 0x08080808, 0, 0x08080808, 0, 0x08080808)).AsByte();
        Vector256<byte> first = Avx2.Shuffle(Avx2.UnpackLow(a, b).AsByte(), index), second = Avx2.Shuffle(Avx2.UnpackHigh(a, b).AsByte(), index);
        Vector256<byte> value = Avx2.Blend(first.AsUInt32(), second.AsUInt32(), 0b1100_1100).AsByte();
        Vector256<byte> sign = Vector256.LessThan(value.AsSByte(), Vector256<sbyte>.Zero).AsByte();
        return Avx2.BlendVariable(value, sign, (nibbles << 4).AsByte()).AsUInt32();
    }

    private static uint One(uint x, uint y, uint s)
    {
        ulong bytes = x | ((ulong)y << 32);
        uint result = 0;
        for (int i = 0; i < 4; i++, s >>= 4)
        {
            uint value = (byte)(bytes >> (int)(8 * (s & 7)));
            if ((s & 8) != 0) value = (value & 0x80) != 0 ? 0xFFu : 0;
            result |= value << (8 * i);
        }
        return result;
    }
}
