using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Graph;

/// <summary>One node of a graph: reads values, makes new ones. Immutable; a pass makes another.</summary>
public abstract record Op
{
    /// <summary>The place in the model's text that asked for it.</summary>
    public Origin Origin { get; init; } = Origin.None;

    /// <summary>The layer it belongs to; null before the first and after the last.</summary>
    public int? Layer { get; init; }

    /// <summary>The half of a training step that it belongs to; ops of inference are all <see cref="Work.Forward"/>.</summary>
    public Work Work { get; init; }

    /// <summary>It makes a second time what the forward pass did not keep.</summary>
    public bool IsRecomputed { get; init; }

    /// <summary>Its kind as IR text says it: <c>rms_norm</c>.</summary>
    public abstract string Mnemonic { get; }

    public abstract ImmutableArray<Value> Operands { get; }

    /// <summary>Always temporaries.</summary>
    public abstract ImmutableArray<Value> Results { get; }

    /// <summary>
    /// What it does beside its operands, as IR text says it: <c>heads=2 scale=0.19</c>; empty where there is nothing to say.
    /// </summary>
    public virtual string Attributes => "";

    /// <summary>Which results use an operand's memory. Most do not.</summary>
    public virtual ImmutableArray<Sharing> Shares => [];

    /// <summary>It changes what outlives the step, be its results read or not.</summary>
    public virtual bool ChangesState => false;

    /// <summary>The same op on other values, operands and results alike.</summary>
    public abstract Op Map(Func<Value, Value> map);

    /// <summary>States what must hold of its types.</summary>
    public abstract void Check(TypeRule rule);
}

public enum SharingKind
{
    /// <summary>The result is a part of the operand; nothing is computed.</summary>
    View,

    /// <summary>The kernel changes the operand in place: nobody may need it afterwards.</summary>
    InPlace,

    /// <summary>The result may overwrite the operand if nobody needs that afterwards.</summary>
    MayReuse,
}

/// <param name="Offset">Bytes from the operand's first element to the result's.</param>
public sealed record Sharing(Value Result, Value Operand, SharingKind Kind, Dim Offset)
{
    public Sharing(Value result, Value operand, SharingKind kind)
        : this(result, operand, kind, 0)
    {
    }
}

/// <summary>Small helpers for ops with operands that may be missing.</summary>
internal static class Values
{
    public static ImmutableArray<Value> Present(params Value?[] values) => [.. values.OfType<Value>()];

    public static Value? MapOptional(this Func<Value, Value> map, Value? value) => value is null ? null : map(value);
}
