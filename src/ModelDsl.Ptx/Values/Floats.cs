using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>
/// A 32-bit float. Arithmetic rounds to nearest even. <c>a * b + c</c>, <c>c + a * b</c>, <c>a * b - c</c> and <c>c - a * b</c> are one
/// <c>fma</c>; where the product must be rounded by itself, write <see cref="KernelBuilder.Rounded"/>.
/// </summary>
public sealed class F32 : Value
{
    internal F32(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.F32) { }

    /// <summary>The value, if it is a constant.</summary>
    public float? Constant => ConstantBits is { } bits ? BitConverter.ToSingle(BitConverter.GetBytes((uint)bits), 0) : null;

    public static implicit operator F32(float value) =>
        new(null, new ImmediateOperand(BitConverter.ToUInt32(BitConverter.GetBytes(value), 0), ScalarType.F32));

    public static F32 operator +(F32 a, F32 b)
    {
        if (a.Constant is { } x && b.Constant is { } y) return x + y;
        if (a.Constant == 0) return b;
        if (b.Constant == 0) return a;
        var k = BuilderOf(a, b);
        if (k.ProductOf(a) is { } p) return k.Fma(p.Left, p.Right, b);
        return k.ProductOf(b) is { } q ? k.Fma(q.Left, q.Right, a) : k.Emit<F32>("add.rn.f32", a, b);
    }

    public static F32 operator -(F32 a, F32 b)
    {
        if (a.Constant is { } x && b.Constant is { } y) return x - y;
        if (b.Constant == 0) return a;
        var k = BuilderOf(a, b);
        if (k.ProductOf(b) is { } q) return k.Fma(-q.Left, q.Right, a);
        return k.ProductOf(a) is { } p ? k.Fma(p.Left, p.Right, -b) : k.Emit<F32>("sub.rn.f32", a, b);
    }

    public static F32 operator -(F32 a) => a.Constant is { } c ? -c : a.Builder!.Emit<F32>("neg.f32", a);

    public static F32 operator *(F32 a, F32 b)
    {
        if (a.Constant is { } x && b.Constant is { } y) return x * y;
        if (a.Constant == 1) return b;
        if (b.Constant == 1) return a;
        return BuilderOf(a, b).Emit<F32>("mul.rn.f32", a, b);
    }

    /// <summary>Correctly rounded; for speed use <see cref="KernelBuilder.Reciprocal"/>.</summary>
    public static F32 operator /(F32 a, F32 b) => b.Constant == 1 ? a : BuilderOf(a, b).Emit<F32>("div.rn.f32", a, b);

    public static Pred operator <(F32 a, F32 b) => BuilderOf(a, b).Emit<Pred>("setp.lt.f32", a, b);

    public static Pred operator >(F32 a, F32 b) => BuilderOf(a, b).Emit<Pred>("setp.gt.f32", a, b);

    public static Pred operator <=(F32 a, F32 b) => BuilderOf(a, b).Emit<Pred>("setp.le.f32", a, b);

    public static Pred operator >=(F32 a, F32 b) => BuilderOf(a, b).Emit<Pred>("setp.ge.f32", a, b);

    public static Pred operator ==(F32 a, F32 b) => BuilderOf(a, b).Emit<Pred>("setp.eq.f32", a, b);

    /// <summary>True also where one side is no number.</summary>
    public static Pred operator !=(F32 a, F32 b) => BuilderOf(a, b).Emit<Pred>("setp.neu.f32", a, b);

    public override bool Equals(object? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Operand.GetHashCode();
}

/// <summary>A 64-bit float, for the few places where 24 bits of mantissa are too few.</summary>
public sealed class F64 : Value
{
    internal F64(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.F64) { }

    public static implicit operator F64(double value) =>
        new(null, new ImmediateOperand((ulong)BitConverter.DoubleToInt64Bits(value), ScalarType.F64));

    public static F64 operator +(F64 a, F64 b) => BuilderOf(a, b).Emit<F64>("add.rn.f64", a, b);

    public static F64 operator -(F64 a, F64 b) => BuilderOf(a, b).Emit<F64>("sub.rn.f64", a, b);

    public static F64 operator *(F64 a, F64 b) => BuilderOf(a, b).Emit<F64>("mul.rn.f64", a, b);

    public static F64 operator /(F64 a, F64 b) => BuilderOf(a, b).Emit<F64>("div.rn.f64", a, b);
}
