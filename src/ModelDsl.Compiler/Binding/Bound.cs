using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>A value that has the type its schema asks for.</summary>
internal abstract record BoundValue(SourceSpan Span);

internal sealed record BoundNumber(SourceSpan Span, double Value, Dimension Dimension) : BoundValue(Span);

internal sealed record BoundFlag(SourceSpan Span, bool Value) : BoundValue(Span);

internal sealed record BoundReference(SourceSpan Span, string Name) : BoundValue(Span);

internal sealed record BoundList(SourceSpan Span, IReadOnlyList<BoundValue> Items) : BoundValue(Span);

/// <summary>A chosen word with its arguments, defaults filled in; absent optional arguments have no entry.</summary>
internal sealed record BoundCall(SourceSpan Span, string Name, IReadOnlyDictionary<string, BoundValue> Arguments) : BoundValue(Span)
{
    public double Number(string argument) => ((BoundNumber)Arguments[argument]).Value;

    public int Int(string argument) => (int)Math.Round(Number(argument));

    public bool Flag(string argument) => ((BoundFlag)Arguments[argument]).Value;

    public string Word(string argument) => ((BoundCall)Arguments[argument]).Name;

    public bool Has(string argument) => Arguments.ContainsKey(argument);

    public SourceSpan SpanOf(string argument) =>
        Arguments.TryGetValue(argument, out var value) && value.Span.Length > 0 ? value.Span : Span;
}

/// <summary>A block whose entries have the types of its schema. What is missing or wrong has been reported and is absent.</summary>
internal sealed class BoundBlock(BlockSchema schema, SourceSpan nameSpan, SourceSpan span)
{
    private readonly Dictionary<string, BoundValue> _attributes = new(StringComparer.Ordinal);
    private readonly List<BoundBlock> _blocks = new();
    private readonly List<BoundCall> _steps = new();

    public BlockSchema Schema { get; } = schema;

    public SourceSpan NameSpan { get; } = nameSpan;

    public SourceSpan Span { get; } = span;

    public Origin Origin => new(NameSpan);

    /// <summary>The kind its label chooses; null without one.</summary>
    public string? Kind { get; set; }

    /// <summary>First and last number of a range label.</summary>
    public (long First, long Last)? Range { get; set; }

    public SourceSpan LabelSpan { get; set; } = nameSpan;

    public IReadOnlyList<BoundCall> Steps => _steps;

    public void Add(string name, BoundValue value) => _attributes[name] = value;

    public void Add(BoundBlock block) => _blocks.Add(block);

    public void Add(BoundCall step) => _steps.Add(step);

    public BoundBlock? Block(string name) => _blocks.FirstOrDefault(b => b.Schema.Name == name);

    public IEnumerable<BoundBlock> BlocksNamed(string name) => _blocks.Where(b => b.Schema.Name == name);

    public bool Has(string name) => _attributes.ContainsKey(name);

    public BoundValue? Find(string name) => _attributes.TryGetValue(name, out var value) ? value : null;

    public double? TryNumber(string name) => (Find(name) as BoundNumber)?.Value;

    public long? TryLong(string name) => TryNumber(name) is { } number ? (long)Math.Round(number) : null;

    public double Number(string name) => ((BoundNumber)_attributes[name]).Value;

    public int Int(string name) => (int)Math.Round(Number(name));

    public BoundCall Call(string name) => (BoundCall)_attributes[name];

    public BoundCall? TryCall(string name) => Find(name) as BoundCall;

    public string Word(string name) => Call(name).Name;

    public string Reference(string name) => ((BoundReference)_attributes[name]).Name;

    public IEnumerable<string> WordList(string name) =>
        Find(name) is BoundList list ? list.Items.OfType<BoundCall>().Select(c => c.Name) : [];

    /// <summary>Where an attribute's value stands; where it is not given, the block's name.</summary>
    public SourceSpan SpanOf(string name) => Find(name) is { Span.Length: > 0 } value ? value.Span : NameSpan;
}
