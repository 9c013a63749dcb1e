using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>
/// A 32-bit signed integer: the type of indices and counts. <c>/</c> and <c>%</c> by a constant power of two become a shift and a mask:
/// they round towards minus infinity, which for indices is the same thing.
/// </summary>
public sealed class S32 : Value
{
    internal S32(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.S32) { }

    /// <summary>The value, if it is a constant.</summary>
    public int? Constant => (int?)(uint?)ConstantBits;

    public static implicit operator S32(int value) => new(null, new ImmediateOperand((uint)value, ScalarType.S32));

    public static S32 operator +(S32 a, S32 b) => Integer.Add(a, b);

    public static S32 operator -(S32 a, S32 b) => Integer.Subtract(a, b);

    public static S32 operator -(S32 a) => Integer.Subtract(0, a);

    public static S32 operator *(S32 a, S32 b) => Integer.Multiply(a, b);

    public static S32 operator /(S32 a, S32 b) => Integer.Divide(a, b);

    public static S32 operator %(S32 a, S32 b) => Integer.Remainder(a, b);

    public static S32 operator &(S32 a, S32 b) => Integer.And(a, b);

    public static S32 operator |(S32 a, S32 b) => Integer.Or(a, b);

    public static S32 operator ^(S32 a, S32 b) => Integer.Xor(a, b);

    public static S32 operator ~(S32 a) => Integer.Not(a);

    public static S32 operator <<(S32 a, S32 bits) => Integer.ShiftLeft(a, bits);

    /// <summary>Shifts the sign in.</summary>
    public static S32 operator >>(S32 a, S32 bits) => Integer.ShiftRight(a, bits);

    public static Pred operator <(S32 a, S32 b) => Integer.Compare("lt", a, b);

    public static Pred operator >(S32 a, S32 b) => Integer.Compare("gt", a, b);

    public static Pred operator <=(S32 a, S32 b) => Integer.Compare("le", a, b);

    public static Pred operator >=(S32 a, S32 b) => Integer.Compare("ge", a, b);

    public static Pred operator ==(S32 a, S32 b) => Integer.Compare("eq", a, b);

    public static Pred operator !=(S32 a, S32 b) => Integer.Compare("ne", a, b);

    public override bool Equals(object? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Operand.GetHashCode();
}

/// <summary>A 32-bit unsigned integer.</summary>
public sealed class U32 : Value
{
    internal U32(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.U32) { }

    /// <summary>The value, if it is a constant.</summary>
    public uint? Constant => (uint?)ConstantBits;

    public static implicit operator U32(uint value) => new(null, new ImmediateOperand(value, ScalarType.U32));

    public static U32 operator +(U32 a, U32 b) => Integer.Add(a, b);

    public static U32 operator -(U32 a, U32 b) => Integer.Subtract(a, b);

    public static U32 operator *(U32 a, U32 b) => Integer.Multiply(a, b);

    public static U32 operator /(U32 a, U32 b) => Integer.Divide(a, b);

    public static U32 operator %(U32 a, U32 b) => Integer.Remainder(a, b);

    public static U32 operator &(U32 a, U32 b) => Integer.And(a, b);

    public static U32 operator |(U32 a, U32 b) => Integer.Or(a, b);

    public static U32 operator ^(U32 a, U32 b) => Integer.Xor(a, b);

    public static U32 operator ~(U32 a) => Integer.Not(a);

    public static U32 operator <<(U32 a, S32 bits) => Integer.ShiftLeft(a, bits);

    /// <summary>Shifts zeros in.</summary>
    public static U32 operator >>(U32 a, S32 bits) => Integer.ShiftRight(a, bits);

    public static Pred operator <(U32 a, U32 b) => Integer.Compare("lt", a, b);

    public static Pred operator >(U32 a, U32 b) => Integer.Compare("gt", a, b);

    public static Pred operator <=(U32 a, U32 b) => Integer.Compare("le", a, b);

    public static Pred operator >=(U32 a, U32 b) => Integer.Compare("ge", a, b);

    public static Pred operator ==(U32 a, U32 b) => Integer.Compare("eq", a, b);

    public static Pred operator !=(U32 a, U32 b) => Integer.Compare("ne", a, b);

    public override bool Equals(object? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Operand.GetHashCode();
}

/// <summary>A 64-bit signed integer.</summary>
public sealed class S64 : Value
{
    internal S64(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.S64) { }

    public static implicit operator S64(long value) => new(null, new ImmediateOperand((ulong)value, ScalarType.S64));

    public static S64 operator +(S64 a, S64 b) => Integer.Add(a, b);

    public static S64 operator -(S64 a, S64 b) => Integer.Subtract(a, b);

    public static S64 operator *(S64 a, S64 b) => Integer.Multiply(a, b);

    public static Pred operator <(S64 a, S64 b) => Integer.Compare("lt", a, b);

    public static Pred operator >(S64 a, S64 b) => Integer.Compare("gt", a, b);
}

/// <summary>A 64-bit unsigned integer: an address, or a random state.</summary>
public sealed class U64 : Value
{
    internal U64(KernelBuilder? builder, Operand operand) : base(builder, operand, ScalarType.U64) { }

    public static implicit operator U64(ulong value) => new(null, new ImmediateOperand(value, ScalarType.U64));

    public static U64 operator +(U64 a, U64 b) => Integer.Add(a, b);

    public static U64 operator -(U64 a, U64 b) => Integer.Subtract(a, b);

    public static U64 operator *(U64 a, U64 b) => Integer.Multiply(a, b);

    public static U64 operator &(U64 a, U64 b) => Integer.And(a, b);

    public static U64 operator |(U64 a, U64 b) => Integer.Or(a, b);

    public static U64 operator ^(U64 a, U64 b) => Integer.Xor(a, b);

    public static U64 operator <<(U64 a, S32 bits) => Integer.ShiftLeft(a, bits);

    /// <summary>Shifts zeros in.</summary>
    public static U64 operator >>(U64 a, S32 bits) => Integer.ShiftRight(a, bits);

    public static Pred operator <(U64 a, U64 b) => Integer.Compare("lt", a, b);

    public static Pred operator >(U64 a, U64 b) => Integer.Compare("gt", a, b);

    public static Pred operator ==(U64 a, U64 b) => Integer.Compare("eq", a, b);

    public static Pred operator !=(U64 a, U64 b) => Integer.Compare("ne", a, b);

    public override bool Equals(object? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Operand.GetHashCode();
}
