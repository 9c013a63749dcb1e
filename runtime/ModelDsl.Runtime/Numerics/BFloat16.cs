using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.Numerics;

/// <summary>bfloat16: the upper half of a float32. Widening is exact, narrowing rounds to nearest even.</summary>
public static class BFloat16
{
    public static float ToSingle(ushort code) => BitConverter.UInt32BitsToSingle((uint)code << 16);

    public static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)(bits >> 16 | 0x40) : (ushort)(bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    /// <summary>Widens; both spans have the same length.</summary>
    public static void Widen(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref Unsafe.As<float, uint>(ref MemoryMarshal.GetReference(destination[..source.Length]));
        nuint i = 0;
        for (; i + 8 <= (nuint)source.Length; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref from, i));
            (low << 16).StoreUnsafe(ref to, i);
            (high << 16).StoreUnsafe(ref to, i + 4);
        }
        for (; i < (nuint)source.Length; i++) Unsafe.Add(ref to, i) = (uint)Unsafe.Add(ref from, i) << 16;
    }

    /// <summary>Rounds to nearest even; both spans have the same length.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination[..source.Length]);
        nuint i = 0;
        for (; i + 8 <= (nuint)source.Length; i += 8)
        {
            var low = Round(Vector128.LoadUnsafe(ref from, i));
            var high = Round(Vector128.LoadUnsafe(ref from, i + 4));
            Vector128.Narrow(low, high).StoreUnsafe(ref to, i);
        }
        for (; i < (nuint)source.Length; i++) Unsafe.Add(ref to, i) = FromSingle(Unsafe.Add(ref from, i));
    }

    private static Vector128<uint> Round(Vector128<float> value)
    {
        var bits = value.AsUInt32();
        var upper = bits >>> 16;
        var rounded = bits + Vector128.Create(0x7fffu) + (upper & Vector128<uint>.One) >>> 16;
        return Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), rounded, upper | Vector128.Create(0x40u));
    }
}
