using System.Runtime.Intrinsics;
using V = System.Runtime.Intrinsics.Vector512<uint>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>The frequent conversions between 32-bit numbers, 16 lanes at a time.</summary>
internal static class NumberConversions
{
    public readonly struct SingleFromS32 : IUnary32 { public static V Apply(V a) => Vector512.ConvertToSingle(a.AsInt32()).AsUInt32(); }

    public readonly struct SingleFromU32 : IUnary32
    {
        public static V Apply(V a)
        {
            // Exact in double, so that the one rounding is the one to single.
            var (low, high) = Vector512.Widen(a);
            return Vector512.Narrow(Vector512.ConvertToDouble(low), Vector512.ConvertToDouble(high)).AsUInt32();
        }
    }

    /// <summary>Towards zero; what does not fit becomes the nearest that does, NaN becomes zero.</summary>
    public readonly struct S32FromSingle : IUnary32 { public static V Apply(V a) => Vector512.ConvertToInt32(a.AsSingle()).AsUInt32(); }

    public readonly struct S32FromSingleNearest : IUnary32 { public static V Apply(V a) => Vector512.ConvertToInt32(Vector512.Round(a.AsSingle())).AsUInt32(); }

    public readonly struct S32FromSingleDown : IUnary32 { public static V Apply(V a) => Vector512.ConvertToInt32(Vector512.Floor(a.AsSingle())).AsUInt32(); }

    public readonly struct U32FromSingle : IUnary32 { public static V Apply(V a) => Vector512.ConvertToUInt32(a.AsSingle()); }

    /// <summary>Nearest with ties away from zero: half a unit is added to the magnitude and the rest cut off. What is no number keeps its bits.</summary>
    public readonly struct TF32FromSingle : IUnary32
    {
        public static V Apply(V a)
        {
            V special = Vector512.Equals(a & Vector512.Create(0x7F800000u), Vector512.Create(0x7F800000u));
            return Vector512.ConditionalSelect(special, a, a + Vector512.Create(0x1000u)) & Vector512.Create(0xFFFFE000);
        }
    }
}
