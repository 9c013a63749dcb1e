using System.Collections.Immutable;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What kind of value an attribute or argument takes.</summary>
public abstract record SchemaType
{
    /// <summary>With an article, for messages and documentation: "a whole number in tokens".</summary>
    public abstract string Description { get; }
}

/// <summary>A whole number within limits, both included.</summary>
public sealed record IntegerType(long Minimum, long Maximum, Dimension Unit = default) : SchemaType
{
    public override string Description => Unit == Dimension.None ? "a whole number" : $"a whole number in {Unit}";
}

/// <summary>A number within limits, both included unless <paramref name="AboveMinimum"/> leaves out the lower one.</summary>
public sealed record NumberType(double Minimum, double Maximum, Dimension Unit = default, bool AboveMinimum = false) : SchemaType
{
    public override string Description => Unit == Dimension.None ? "a number" : $"a number in {Unit}";
}

/// <summary>A stretch of a training run, as tokens or as steps.</summary>
public sealed record TokensOrStepsType : SchemaType
{
    public override string Description => "a number of tokens or steps";
}

public sealed record BooleanType : SchemaType
{
    public override string Description => "true or false";
}

/// <summary>The name of another declaration.</summary>
/// <param name="Kind">Its kind: model, precision, cluster.</param>
public sealed record ReferenceType(string Kind) : SchemaType
{
    public override string Description => $"the name of a {Kind}";
}

public sealed record ListType(SchemaType Item) : SchemaType
{
    public override string Description => $"a list, each item {Item.Description}";
}

/// <summary>One of several words, each of which may take arguments: <c>sigmoid(scale: 2.5, normalize: true)</c>, <c>bf16</c>.</summary>
/// <param name="Number">A bare number is as good: <c>batch = 1920</c> beside <c>batch = ramp(…)</c>.</param>
public sealed record ChoiceType(ImmutableArray<Signature> Choices, IntegerType? Number = null) : SchemaType
{
    public override string Description => Number is null ? "one of " + Words : "a whole number or " + Words;

    /// <summary>"none" is one of the words, and means what it says; elsewhere it means that the value is absent.</summary>
    public bool HasNone => Choices.Any(c => c.Name == "none");

    public string Words => string.Join(", ", Choices.Select(c => c.Example));
}

/// <summary>A word and the arguments it takes.</summary>
public sealed record Signature(string Name, string Doc, ImmutableArray<ParameterSchema> Parameters)
{
    public bool IsBare => Parameters.All(p => !p.Required);

    /// <summary>How it is written: <c>top(…, of: …)</c>.</summary>
    public string Example => Parameters.IsEmpty
        ? Name
        : $"{Name}({string.Join(", ", Parameters.Where(p => p.Required || IsBare).Select(p => p.Positional ? "…" : p.Name + ": …"))})";
}

/// <param name="Default">As it would be written; null for arguments that must be given, "none" for those that may be left out.</param>
/// <param name="Positional">Given without its name.</param>
public sealed record ParameterSchema(string Name, SchemaType Type, string? Default, bool Positional, string Doc)
{
    public bool Required => Default is null;
}
