using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// 32-bit integer division through doubles: the quotient of two 32-bit integers is further from the next integer than a
/// double's rounding error, so truncating it is exact.
/// </summary>
internal static class Division
{
    public static Vector512<uint> Unsigned(Vector512<uint> a, Vector512<uint> b)
    {
        var (a0, a1) = Vector512.Widen(a);
        var (b0, b1) = Vector512.Widen(b);
        Vector512<ulong> q0 = Vector512.ConvertToUInt64(Vector512.ConvertToDouble(a0) / Vector512.ConvertToDouble(b0));
        Vector512<ulong> q1 = Vector512.ConvertToUInt64(Vector512.ConvertToDouble(a1) / Vector512.ConvertToDouble(b1));
        return Vector512.Narrow(q0, q1) | Vector512.Equals(b, Vector512<uint>.Zero);
    }

    public static Vector512<uint> Signed(Vector512<uint> a, Vector512<uint> b)
    {
        var (a0, a1) = Vector512.Widen(a.AsInt32());
        var (b0, b1) = Vector512.Widen(b.AsInt32());
        Vector512<long> q0 = Vector512.ConvertToInt64(Vector512.ConvertToDouble(a0) / Vector512.ConvertToDouble(b0));
        Vector512<long> q1 = Vector512.ConvertToInt64(Vector512.ConvertToDouble(a1) / Vector512.ConvertToDouble(b1));
        return Vector512.Narrow(q0, q1).AsUInt32() | Vector512.Equals(b, Vector512<uint>.Zero);
    }
}
