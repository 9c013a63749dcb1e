using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>Sixteen bits of any meaning.</summary>
public sealed class B16 : Value
{
    internal B16(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.B16) { }

    public static implicit operator B16(ushort bits) => new(null, new ImmediateOperand(bits, ScalarType.B16));
}

/// <summary>Thirty-two bits of any meaning: fragments of <c>mma</c>, packed values.</summary>
public sealed class B32 : Value
{
    internal B32(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.B32) { }

    public static implicit operator B32(uint bits) => new(null, new ImmediateOperand(bits, ScalarType.B32));

    public static implicit operator B32(S32 value) => value.As<B32>();

    public static implicit operator B32(U32 value) => value.As<B32>();

    public static implicit operator B32(F16x2 value) => value.As<B32>();

    public static implicit operator B32(BF16x2 value) => value.As<B32>();

    public static implicit operator B32(E4M3x4 value) => value.As<B32>();

    public static implicit operator B32(E5M2x4 value) => value.As<B32>();

    public static B32 operator &(B32 a, B32 b) => Integer.And(a, b);

    public static B32 operator |(B32 a, B32 b) => Integer.Or(a, b);

    public static B32 operator ^(B32 a, B32 b) => Integer.Xor(a, b);

    public static B32 operator ~(B32 a) => Integer.Not(a);

    public static B32 operator <<(B32 a, int bits) => Integer.ShiftLeft(a, bits);

    /// <summary>Shifts zeros in.</summary>
    public static B32 operator >>(B32 a, int bits) => Integer.ShiftRight(a.As<U32>(), bits).As<B32>();
}

/// <summary>Sixty-four bits of any meaning.</summary>
public sealed class B64 : Value
{
    internal B64(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.B64) { }
}

/// <summary>A byte in memory; 32 bits, zero-extended, in a register.</summary>
public sealed class U8 : Value
{
    internal U8(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.U32) { }

    /// <summary>The low byte of <paramref name="value"/>, to be stored.</summary>
    public static U8 Low(U32 value) => new(value.Builder, value.Operand);

    public static implicit operator U32(U8 value) => value.As<U32>();

    public static implicit operator S32(U8 value) => value.As<S32>();
}
