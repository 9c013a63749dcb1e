using System.Collections.Immutable;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What a block may hold. One table serves checking, completion, documentation and <c>dsmc explain</c>.</summary>
public sealed record BlockSchema(
    string Name,
    string Doc,
    LabelRule Label,
    ImmutableArray<AttributeSchema> Attributes,
    ImmutableArray<ChildSchema> Blocks,
    ImmutableArray<Signature> Steps)
{
    public AttributeSchema? Attribute(string name) => Attributes.FirstOrDefault(a => a.Name == name);

    public ChildSchema? Child(string name) => Blocks.FirstOrDefault(b => b.Block.Name == name);

    public Signature? Step(string name) => Steps.FirstOrDefault(s => s.Name == name);
}

/// <summary>One attribute: a row of the table.</summary>
/// <param name="Default">As it would be written; null when the attribute must be given, "none" when it may be absent.</param>
/// <param name="Doc">One line: what it is, with unit and, where it has one, its Hugging Face name.</param>
public sealed record AttributeSchema(string Name, SchemaType Type, string? Default, string Doc)
{
    public bool Required => Default is null;

    /// <summary>May be absent, and then means something of its own; <c>none</c> removes an inherited one.</summary>
    public bool Optional => Default == "none" && Type is not ChoiceType { HasNone: true };
}

/// <summary>A block within a block.</summary>
/// <param name="Repeats">May stand several times: layers, stages.</param>
public sealed record ChildSchema(BlockSchema Block, bool Required = false, bool Repeats = false);

/// <summary>What stands between a block's name and its brace.</summary>
public abstract record LabelRule
{
    public sealed record None : LabelRule;

    /// <summary>One of several kinds; without a label the first is meant.</summary>
    public sealed record Kind(ImmutableArray<string> Words) : LabelRule;

    /// <summary>A range or a single number.</summary>
    public sealed record Range : LabelRule;
}
