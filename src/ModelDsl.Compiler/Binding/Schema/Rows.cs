using System.Collections.Immutable;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>Short names for the parts of the tables, so that a row fits on a line.</summary>
internal static class Rows
{
    /// <summary>No size of a model comes near this; a product of two still fits in 64 bits.</summary>
    public const int LargestWidth = 1 << 22;

    public const int LargestCount = 1 << 20;

    public const int LastLayer = 9999;

    public static readonly LabelRule NoLabel = new LabelRule.None();

    public static readonly SchemaType Width = new IntegerType(1, LargestWidth);
    public static readonly SchemaType Counted = new IntegerType(1, LargestCount);
    public static readonly SchemaType CountedOrNone = new IntegerType(0, LargestCount);
    public static readonly SchemaType Tokens = new IntegerType(1, int.MaxValue, Dimension.Token);
    public static readonly SchemaType ManyTokens = new NumberType(0, 1e18, Dimension.Token);
    public static readonly SchemaType Positive = new NumberType(0, 1e12, AboveMinimum: true);
    public static readonly SchemaType Factor = new NumberType(0, 1e6);
    public static readonly SchemaType Share = new NumberType(0, 1);
    public static readonly SchemaType Rate = new NumberType(0, 1e15, Dimension.BytePerSecond, AboveMinimum: true);
    public static readonly SchemaType Flag = new BooleanType();

    public static AttributeSchema Attribute(string name, SchemaType type, string doc) => new(name, type, null, doc);

    public static AttributeSchema Attribute(string name, SchemaType type, string @default, string doc) => new(name, type, @default, doc);

    public static AttributeSchema Optional(string name, SchemaType type, string doc) => new(name, type, "none", doc);

    public static ParameterSchema Value(string name, SchemaType type, string doc) => new(name, type, null, true, doc);

    public static ParameterSchema Named(string name, SchemaType type, string doc) => new(name, type, null, false, doc);

    public static ParameterSchema Named(string name, SchemaType type, string @default, string doc) => new(name, type, @default, false, doc);

    public static Signature Word(string name, string doc = "") => new(name, doc, ImmutableArray<ParameterSchema>.Empty);

    public static Signature Call(string name, string doc, params ParameterSchema[] parameters) =>
        new(name, doc, parameters.ToImmutableArray());

    public static ChoiceType Choice(params Signature[] choices) => new(choices.ToImmutableArray());

    public static ChoiceType Words(params string[] words) => new(words.Select(w => Word(w)).ToImmutableArray());

    public static BlockSchema Block(
        string name, string doc, AttributeSchema[] attributes, ChildSchema[]? blocks = null, LabelRule? label = null) =>
        new(name, doc, label ?? NoLabel, attributes.ToImmutableArray(), (blocks ?? Array.Empty<ChildSchema>()).ToImmutableArray(),
            ImmutableArray<Signature>.Empty);

    public static BlockSchema Steps(string name, string doc, params Signature[] steps) =>
        new(name, doc, NoLabel, ImmutableArray<AttributeSchema>.Empty, ImmutableArray<ChildSchema>.Empty, steps.ToImmutableArray());
}
