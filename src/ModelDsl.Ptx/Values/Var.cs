using ModelDsl.Ptx.Instructions;

namespace ModelDsl.Ptx.Values;

/// <summary>
/// A register that changes: an accumulator, a running maximum. Reading gives a snapshot that later writes do not touch; copies that
/// turn out not to be needed are removed when the kernel is finished.
/// </summary>
public sealed class Var<T> where T : Value
{
    private readonly KernelBuilder _builder;

    internal Var(KernelBuilder builder, Register register) => (_builder, Register) = (builder, register);

    internal Register Register { get; }

    /// <summary>Reads a snapshot, or writes.</summary>
    public T Value
    {
        get => _builder.ReadVariable(this);
        set => _builder.WriteVariable(this, value);
    }

    /// <summary>Writes a new value.</summary>
    public void Set(T value) => Value = value;

    /// <summary>Writes a new value where the predicate holds; the others keep theirs.</summary>
    public void SetIf(Pred predicate, T value) => _builder.WriteVariable(this, value, predicate);

    /// <summary>Reading a variable where a value is wanted.</summary>
    public static implicit operator T(Var<T> variable) => variable.Value;
}
