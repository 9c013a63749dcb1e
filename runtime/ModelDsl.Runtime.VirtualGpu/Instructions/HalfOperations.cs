using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using V = System.Runtime.Intrinsics.Vector512<uint>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// Arithmetic on 16-bit floats by way of single precision. Rounding twice does no harm for one addition, multiplication,
/// minimum or maximum, since single has more than twice the bits; <c>fma</c> is in <see cref="HalfPrecision"/>.
/// </summary>
internal static class HalfOperations
{
    public interface IFormat
    {
        /// <summary>From the low halves of the lanes.</summary>
        static abstract Vector512<float> From(V x);

        /// <summary>To the low halves, to nearest even; what is above is zero.</summary>
        static abstract V To(Vector512<float> x);
    }

    public readonly struct F16 : IFormat
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> From(V x) => VectorFormats.FromF16(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V To(Vector512<float> x) => VectorFormats.ToF16(x);
    }

    public readonly struct BF16 : IFormat
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> From(V x) => VectorFormats.FromBF16(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V To(Vector512<float> x) => VectorFormats.ToBF16(x);
    }

    public readonly struct Widen<T> : IUnary32
        where T : struct, IFormat
    {
        public static V Apply(V a) => FloatOperations.Canonical(T.From(a));
    }

    public readonly struct Round<T> : IUnary32
        where T : struct, IFormat
    {
        public static V Apply(V a) => T.To(a.AsSingle());
    }

    public readonly struct Unary<T, TOp> : IUnary32
        where T : struct, IFormat
        where TOp : struct, IUnary32
    {
        public static V Apply(V a) => T.To(TOp.Apply(T.From(a).AsUInt32()).AsSingle());
    }

    public readonly struct Binary<T, TOp> : IBinary32
        where T : struct, IFormat
        where TOp : struct, IBinary32
    {
        public static V Apply(V a, V b) => T.To(TOp.Apply(T.From(a).AsUInt32(), T.From(b).AsUInt32()).AsSingle());
    }

    public readonly struct UnaryPair<T, TOp> : IUnary32
        where T : struct, IFormat
        where TOp : struct, IUnary32
    {
        public static V Apply(V a) => Unary<T, TOp>.Apply(a) | (Unary<T, TOp>.Apply(a >> 16) << 16);
    }

    public readonly struct BinaryPair<T, TOp> : IBinary32
        where T : struct, IFormat
        where TOp : struct, IBinary32
    {
        public static V Apply(V a, V b) => Binary<T, TOp>.Apply(a, b) | (Binary<T, TOp>.Apply(a >> 16, b >> 16) << 16);
    }

    /// <summary>Two singles to a pair: a above, b below.</summary>
    public readonly struct Pack<T> : IBinary32
        where T : struct, IFormat
    {
        public static V Apply(V a, V b) => (T.To(a.AsSingle()) << 16) | T.To(b.AsSingle());
    }

    public readonly struct NegatePair : IUnary32 { public static V Apply(V a) => a ^ Vector512.Create(0x80008000); }

    public readonly struct AbsolutePair : IUnary32 { public static V Apply(V a) => a & Vector512.Create(0x7FFF7FFFu); }

    public readonly struct Negate : IUnary32 { public static V Apply(V a) => a ^ Vector512.Create(0x8000u); }

    public readonly struct Absolute : IUnary32 { public static V Apply(V a) => a & Vector512.Create(0x7FFFu); }
}
