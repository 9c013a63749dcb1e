using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>
/// A value a kernel computes: a register or a constant, with its type. Values never change; what changes is a <see cref="Var{T}"/>.
/// Operators on values emit instructions where they stand.
/// </summary>
public abstract class Value
{
    private protected Value(KernelBuilder? builder, Operand operand, ScalarType type) =>
        (Builder, Operand, Type) = (builder, operand, type);

    internal KernelBuilder? Builder { get; }

    /// <summary>Where the value is.</summary>
    public Operand Operand { get; }

    /// <summary>The type in opcodes that work on it.</summary>
    public ScalarType Type { get; }

    /// <summary>True if known when the kernel is written.</summary>
    public bool IsConstant => Operand is ImmediateOperand;

    /// <summary>The constant's bits, or null for a register.</summary>
    internal ulong? ConstantBits => Operand is ImmediateOperand i ? i.Bits : null;

    /// <summary>
    /// The same bits seen as another type of the same size. Costs a <c>mov</c> only from a float register to an integer type.
    /// </summary>
    public T As<T>() where T : Value
    {
        var to = Element<T>.Value;
        if (to.Register.Bits != Type.Bits) throw new PtxException($"a {Type} value cannot be seen as {to.Register}: sizes differ");
        if (Operand is ImmediateOperand constant) return to.Wrap(Builder, constant with { Type = to.Register });
        var isFloat = Type.Class is RegisterClass.F32 or RegisterClass.F64
            || Operand is RegisterOperand { Register.Class: RegisterClass.F32 or RegisterClass.F64 };
        var staysPut = !isFloat || to.Register.IsUntyped || to.Register.Class is RegisterClass.F32 or RegisterClass.F64;
        return staysPut ? to.Wrap(Builder, Operand) : Builder!.Emit<T>($"mov.b{Type.Bits}", this);
    }

    internal static KernelBuilder BuilderOf(Value a, Value b) =>
        a.Builder ?? b.Builder ?? throw new PtxException("an operator on two constants that does not fold needs a register");
}
