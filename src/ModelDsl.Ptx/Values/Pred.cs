using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>A condition. <c>!p</c> costs nothing where it guards: the guard is negated.</summary>
public sealed class Pred : Value
{
    internal Pred(KernelBuilder? builder, Operand operand, bool negated = false) : base(builder, operand, ScalarType.Pred) =>
        Negated = negated;

    internal bool Negated { get; }

    /// <summary>The value, if it is a constant.</summary>
    public bool? Constant => ConstantBits is { } bits ? bits != 0 : null;

    public static implicit operator Pred(bool value) => new(null, new ImmediateOperand(value ? 1ul : 0ul, ScalarType.Pred));

    public static Pred operator !(Pred p) => p.Constant is { } c ? !c : new Pred(p.Builder, p.Operand, !p.Negated);

    /// <summary>Both; both sides are evaluated.</summary>
    public static Pred operator &(Pred a, Pred b)
    {
        if (a.Constant is { } x) return x ? b : false;
        if (b.Constant is { } y) return y ? a : false;
        return a.Builder!.Emit<Pred>("and.pred", a.Plain(), b.Plain());
    }

    /// <summary>Either; both sides are evaluated.</summary>
    public static Pred operator |(Pred a, Pred b)
    {
        if (a.Constant is { } x) return x ? true : b;
        if (b.Constant is { } y) return y ? true : a;
        return a.Builder!.Emit<Pred>("or.pred", a.Plain(), b.Plain());
    }

    public static Pred operator ^(Pred a, Pred b) => a.Builder!.Emit<Pred>("xor.pred", a.Plain(), b.Plain());

    /// <summary>The condition in a register that needs no negation.</summary>
    internal Pred Plain() => Negated ? Builder!.Emit<Pred>("not.pred", new Pred(Builder, Operand)) : this;
}
