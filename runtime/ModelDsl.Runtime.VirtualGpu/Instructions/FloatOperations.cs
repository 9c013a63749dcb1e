using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using V = System.Runtime.Intrinsics.Vector512<uint>;
using W = System.Runtime.Intrinsics.Vector512<ulong>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>What single and double precision instructions compute in each lane.</summary>
internal static class FloatOperations
{
    public const uint QuietNaN = 0x7FFFFFFF;

    public readonly struct Add : IBinarySingle, IBinary64
    {
        public static Vector256<float> Raw(Vector256<float> a, Vector256<float> b) => a + b;
        public static Vector512<float> Raw(Vector512<float> a, Vector512<float> b) => a + b;
        public static V Apply(V a, V b) => Canonical(a.AsSingle() + b.AsSingle());
        public static W Apply(W a, W b) => (a.AsDouble() + b.AsDouble()).AsUInt64();
    }

    public readonly struct Subtract : IBinarySingle, IBinary64
    {
        public static Vector256<float> Raw(Vector256<float> a, Vector256<float> b) => a - b;
        public static Vector512<float> Raw(Vector512<float> a, Vector512<float> b) => a - b;
        public static V Apply(V a, V b) => Canonical(a.AsSingle() - b.AsSingle());
        public static W Apply(W a, W b) => (a.AsDouble() - b.AsDouble()).AsUInt64();
    }

    public readonly struct Multiply : IBinarySingle, IBinary64
    {
        public static Vector256<float> Raw(Vector256<float> a, Vector256<float> b) => a * b;
        public static Vector512<float> Raw(Vector512<float> a, Vector512<float> b) => a * b;
        public static V Apply(V a, V b) => Canonical(a.AsSingle() * b.AsSingle());
        public static W Apply(W a, W b) => (a.AsDouble() * b.AsDouble()).AsUInt64();
    }

    public readonly struct Divide : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Canonical(a.AsSingle() / b.AsSingle());
        public static W Apply(W a, W b) => (a.AsDouble() / b.AsDouble()).AsUInt64();
    }

    /// <summary><c>div.approx</c>: a·(1/b), whose second factor is zero where |b| exceeds 2^126.</summary>
    public readonly struct DivideApproximately : IBinary32
    {
        public static V Apply(V a, V b)
        {
            V body = b & Vector512.Create(0x7FFFFFFFu);
            V large = Vector512.GreaterThan(body, Vector512.Create(0x7E800000u)) & Vector512.LessThan(body, Vector512.Create(0x7F800000u));
            V infinite = (b & Vector512.Create(0x80000000)) | Vector512.Create(0x7F800000u);
            return Divide.Apply(a, Vector512.ConditionalSelect(large, infinite, b));
        }
    }

    public readonly struct MultiplyAdd : ITernarySingle, ITernary64
    {
        public static Vector256<float> Raw(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, c);
        public static Vector512<float> Raw(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);
        public static V Apply(V a, V b, V c) => Canonical(Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()));
        public static W Apply(W a, W b, W c) => Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).AsUInt64();
    }

    /// <summary>The number wins over NaN, and -0 is less than +0.</summary>
    public readonly struct Min : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Canonical(Vector512.MinNumber(a.AsSingle(), b.AsSingle()));
        public static W Apply(W a, W b) => Vector512.MinNumber(a.AsDouble(), b.AsDouble()).AsUInt64();
    }

    public readonly struct Max : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => Canonical(Vector512.MaxNumber(a.AsSingle(), b.AsSingle()));
        public static W Apply(W a, W b) => Vector512.MaxNumber(a.AsDouble(), b.AsDouble()).AsUInt64();
    }

    public readonly struct MinNaN : IBinary32 { public static V Apply(V a, V b) => Canonical(Vector512.Min(a.AsSingle(), b.AsSingle())); }

    public readonly struct MaxNaN : IBinary32 { public static V Apply(V a, V b) => Canonical(Vector512.Max(a.AsSingle(), b.AsSingle())); }

    public readonly struct Negate : IUnary32, IUnary64
    {
        public static V Apply(V a) => a ^ Vector512.Create(0x80000000);
        public static W Apply(W a) => a ^ Vector512.Create(1UL << 63);
    }

    public readonly struct Absolute : IUnary32, IUnary64
    {
        public static V Apply(V a) => a & Vector512.Create(0x7FFFFFFFu);
        public static W Apply(W a) => a & Vector512.Create(ulong.MaxValue >> 1);
    }

    /// <summary>The sign of a with the value of b.</summary>
    public readonly struct CopySign : IBinary32, IBinary64
    {
        public static V Apply(V a, V b) => (a & Vector512.Create(0x80000000)) | Absolute.Apply(b);
        public static W Apply(W a, W b) => (a & Vector512.Create(1UL << 63)) | Absolute.Apply(b);
    }

    public readonly struct SquareRoot : IUnary32, IUnary64
    {
        public static V Apply(V a) => Canonical(Vector512.Sqrt(a.AsSingle()));
        public static W Apply(W a) => Vector512.Sqrt(a.AsDouble()).AsUInt64();
    }

    public readonly struct Reciprocal : IUnary32, IUnary64
    {
        public static V Apply(V a) => Canonical(Vector512<float>.One / a.AsSingle());
        public static W Apply(W a) => (Vector512<double>.One / a.AsDouble()).AsUInt64();
    }

    /// <summary>Through double, so that the single result is rounded once (the hardware's bound is 2 ulp).</summary>
    public readonly struct ReciprocalSquareRoot : IUnary32, IUnary64
    {
        public static V Apply(V a)
        {
            var (low, high) = Vector512.Widen(a.AsSingle());
            return Canonical(Vector512.Narrow(Vector512<double>.One / Vector512.Sqrt(low), Vector512<double>.One / Vector512.Sqrt(high)));
        }

        public static W Apply(W a) => (Vector512<double>.One / Vector512.Sqrt(a.AsDouble())).AsUInt64();
    }

    /// <summary>2^x within 1 ulp (the hardware's bound is 2): the fraction by its series, the whole part into the exponent.</summary>
    public readonly struct Exp2 : IUnary32
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply(V a)
        {
            // NaN is put back at the end.
            Vector512<float> x = Vector512.MinNative(Vector512.MaxNative(a.AsSingle(), Vector512.Create(-160f)), Vector512.Create(160f));
            Vector512<float> whole = Vector512.Round(x);
            Vector512<float> f = x - whole;
            Vector512<float> p = Vector512.Create(1.5252734e-5f);
            p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.5403530e-4f));
            p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.3333558e-3f));
            p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(9.6181291e-3f));
            p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(5.5504109e-2f));
            p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(2.4022651e-1f));
            p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(6.9314718e-1f));
            p = Vector512.FusedMultiplyAdd(p, f, Vector512<float>.One);
            // In two steps, since 2^whole alone may be subnormal or beyond the largest exponent.
            Vector512<int> n = Vector512.ConvertToInt32Native(whole), half = n >> 1;
            Vector512<int> bias = Vector512.Create(127);
            Vector512<float> first = ((half + bias) << 23).AsSingle(), second = ((n - half + bias) << 23).AsSingle();
            V result = (p * first * second).AsUInt32();
            return Vector512.ConditionalSelect(Vector512.Equals(a.AsSingle(), a.AsSingle()).AsUInt32(), result, Vector512.Create(QuietNaN));
        }
    }

    public readonly struct Log2 : IUnary32 { public static V Apply(V a) => Canonical(Vector512.Log2(a.AsSingle())); }

    public readonly struct Sin : IUnary32 { public static V Apply(V a) => Canonical(Vector512.Sin(a.AsSingle())); }

    public readonly struct Cos : IUnary32 { public static V Apply(V a) => Canonical(Vector512.Cos(a.AsSingle())); }

    /// <summary>tanh x = 1 - 2/(e^2x + 1) in double; for small x the series, where that form cancels.</summary>
    public readonly struct Tanh : IUnary32
    {
        public static V Apply(V a)
        {
            var (low, high) = Vector512.Widen(a.AsSingle());
            return Canonical(Vector512.Narrow(One(low), One(high)));
        }

        private static Vector512<double> One(Vector512<double> x)
        {
            Vector512<double> e = Vector512.Exp(Vector512.Min(x + x, Vector512.Create(100.0)));
            Vector512<double> square = x * x;
            Vector512<double> series = x * (Vector512<double>.One - square * (Vector512.Create(1 / 3.0) - square * Vector512.Create(2 / 15.0)));
            Vector512<double> full = (e - Vector512<double>.One) / (e + Vector512<double>.One);
            return Vector512.ConditionalSelect(Vector512.LessThan(Vector512.Abs(x), Vector512.Create(1e-3)), series, full);
        }
    }

    /// <summary>Subnormal operands and results become zeros of their sign.</summary>
    public readonly struct Flushed1<T> : IUnary32
        where T : struct, IUnary32
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply(V a) => Flush(T.Apply(Flush(a)));
    }

    public readonly struct Flushed2<T> : IBinary32
        where T : struct, IBinary32
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply(V a, V b) => Flush(T.Apply(Flush(a), Flush(b)));
    }

    public readonly struct Flushed3<T> : ITernary32
        where T : struct, ITernary32
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply(V a, V b, V c) => Flush(T.Apply(Flush(a), Flush(b), Flush(c)));
    }

    /// <summary>Clamps to [0, 1]; NaN becomes 0.</summary>
    public readonly struct Saturate : IUnary32, IUnary64
    {
        public static V Apply(V a) => Vector512.Min(Vector512.MaxNumber(a.AsSingle(), Vector512<float>.Zero), Vector512<float>.One).AsUInt32();
        public static W Apply(W a) => Vector512.Min(Vector512.MaxNumber(a.AsDouble(), Vector512<double>.Zero), Vector512<double>.One).AsUInt64();
    }

    /// <summary>The larger of zero and a; NaN stays.</summary>
    public readonly struct Relu : IUnary32 { public static V Apply(V a) => Canonical(Vector512.Max(a.AsSingle(), Vector512<float>.Zero)); }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Flush(V a)
    {
        V subnormal = Vector512.Equals(a & Vector512.Create(0x7F800000u), V.Zero);
        return Vector512.ConditionalSelect(subnormal, a & Vector512.Create(0x80000000), a);
    }

    /// <summary>Single precision results that are NaN are this one, whatever went in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Canonical(Vector512<float> a) => Vector512.IsHardwareAccelerated
        ? Vector512.ConditionalSelect(Vector512.Equals(a, a).AsUInt32(), a.AsUInt32(), Vector512.Create(QuietNaN))
        : Vector512.Create(Canonical(a.GetLower()), Canonical(a.GetUpper())).AsUInt32();

    // A selection by halves is one blend each; of both at once it is five instructions of logic.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Canonical(Vector256<float> a) =>
        Vector256.ConditionalSelect(Vector256.Equals(a, a), a, Vector256.Create(QuietNaN).AsSingle());
}
