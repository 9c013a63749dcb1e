using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Checks a block and what it holds against its schema.</summary>
internal sealed class BlockBinder(Evaluator evaluator, DiagnosticBag diagnostics)
{
    private readonly ValueBinder _values = new(evaluator, diagnostics);

    /// <param name="lenient">Something in the block did not parse, so what seems to be missing is not reported.</param>
    public BoundBlock Bind(BlockSchema schema, SourceSpan nameSpan, SourceSpan span, IReadOnlyList<EntrySyntax> entries, bool lenient)
    {
        var block = new BoundBlock(schema, nameSpan, span);
        var given = new Dictionary<string, EntrySyntax>(StringComparer.Ordinal);
        evaluator.Enter(entries);
        foreach (var entry in entries)
            switch (entry)
            {
                case AttributeSyntax attribute when schema.Attribute(attribute.Name.Text) is { } row:
                    if (IsNew(given, entry)) Attribute(block, row, attribute);
                    break;
                case BlockSyntax inner when schema.Child(inner.Name.Text) is { } child:
                    if (child.Repeats || IsNew(given, entry)) block.Add(Inner(child.Block, inner, lenient));
                    given[child.Block.Name] = entry;
                    break;
                case StepSyntax step when schema.Step(step.Name.Text) is { } signature:
                    if (_values.Step(signature, step) is { } call) block.Add(call);
                    break;
                default:
                    given[entry.Name.Text] = entry;
                    diagnostics.Add(Misplaced(schema, entry));
                    break;
            }
        Complete(block, given, lenient);
        evaluator.Leave();
        return block;
    }

    private bool IsNew(Dictionary<string, EntrySyntax> given, EntrySyntax entry)
    {
        if (given.TryGetValue(entry.Name.Text, out var first))
        {
            diagnostics.Add(Catalogue.DuplicateEntry(entry.Name.Span, entry.Name.Text, first.Name.Span));
            return false;
        }
        given[entry.Name.Text] = entry;
        return true;
    }

    private void Attribute(BoundBlock block, AttributeSchema row, AttributeSyntax attribute)
    {
        if (row.Optional && attribute.Value is ReferenceSyntax { Name: "none" }) return;
        if (_values.Bind(row.Type, attribute.Value, row.Name) is { } value) block.Add(row.Name, value);
    }

    private BoundBlock Inner(BlockSchema schema, BlockSyntax syntax, bool lenient)
    {
        var block = Bind(schema, syntax.Name.Span, syntax.Span, syntax.Entries, lenient);
        if (syntax.Label is not null) block.LabelSpan = syntax.Label.Span;
        switch (schema.Label)
        {
            case LabelRule.None when syntax.Label is not null:
                diagnostics.Add(Catalogue.WrongLabel(syntax.Label.Span, schema.Name, "takes no label"));
                break;
            case LabelRule.Kind kind:
                block.Kind = kind.Words[0];
                if (syntax.Label is null) break;
                // 1f1b reads like a number with a suffix; as a label it is what is written.
                var word = syntax.Label switch { ReferenceSyntax r => r.Name, QuantitySyntax q => q.Text, _ => "" };
                if (kind.Words.Contains(word)) block.Kind = word;
                else
                    diagnostics.Add(Catalogue.UnknownWord(
                        syntax.Label.Span, word, schema.Name, string.Join(", ", kind.Words), Spelling.DidYouMean(word, kind.Words)));
                break;
            case LabelRule.Range:
                if (syntax.Label is null)
                    diagnostics.Add(Catalogue.MissingLabel(syntax.Name.Span, schema.Name, $"needs a range, as in {schema.Name} 0..2"));
                else block.Range = Range(schema.Name, syntax.Label);
                break;
        }
        return block;
    }

    private (long, long)? Range(string name, ExpressionSyntax label)
    {
        var type = new IntegerType(0, Rows.LastLayer);
        var (first, last) = label is RangeSyntax range ? (range.First, range.Last) : (label, label);
        if (_values.Bind(type, first, name) is not BoundNumber from || _values.Bind(type, last, name) is not BoundNumber to) return null;
        if (from.Value <= to.Value) return ((long)from.Value, (long)to.Value);
        diagnostics.Add(Catalogue.LayersReversed(label.Span, (long)from.Value, (long)to.Value));
        return null;
    }

    private void Complete(BoundBlock block, Dictionary<string, EntrySyntax> given, bool lenient)
    {
        foreach (var row in block.Schema.Attributes.Where(r => !given.ContainsKey(r.Name)))
        {
            if (_values.Default(row.Type, row.Default, row.Name) is { } value) block.Add(row.Name, value);
            else if (row.Required && !lenient)
                diagnostics.Add(Catalogue.MissingAttribute(block.NameSpan, row.Name, block.Schema.Name, row.Doc));
        }
        foreach (var child in block.Schema.Blocks.Where(c => c.Required && !given.ContainsKey(c.Block.Name) && !lenient))
            diagnostics.Add(Catalogue.MissingBlock(block.NameSpan, child.Block.Name, block.Schema.Name, child.Block.Doc));
    }

    /// <summary>An entry its block does not know: written in the wrong form, in the wrong place, or misspelt.</summary>
    private static Diagnostic Misplaced(BlockSchema schema, EntrySyntax entry)
    {
        var name = entry.Name.Text;
        var given = entry switch { AttributeSyntax => "an attribute", BlockSyntax => "a block", _ => "a step" };
        if (schema.Attribute(name) is not null) return Catalogue.WrongForm(entry.Name.Span, name, "an attribute", given, $"{name} = …");
        if (schema.Child(name) is not null) return Catalogue.WrongForm(entry.Name.Span, name, "a block", given, $"{name} {{ … }}");
        if (schema.Step(name) is not null) return Catalogue.WrongForm(entry.Name.Span, name, "a step", given, $"{name}(…)");

        var candidates = entry switch
        {
            AttributeSyntax => schema.Attributes.Select(a => a.Name),
            BlockSyntax => schema.Blocks.Select(b => b.Block.Name),
            _ => schema.Steps.Select(s => s.Name),
        };
        var everything = schema.Attributes.Select(a => a.Name).Concat(schema.Blocks.Select(b => b.Block.Name))
            .Concat(schema.Steps.Select(s => s.Name));
        var inner = schema.Blocks.FirstOrDefault(b => b.Block.Attribute(name) is not null || b.Block.Child(name) is not null);
        var hint = inner is not null
            ? $"'{name}' belongs in '{inner.Block.Name}'"
            : Spelling.DidYouMean(name, candidates) ?? Spelling.DidYouMean(name, everything);
        return Catalogue.UnknownEntry(entry.Name.Span, given.Substring(given.IndexOf(' ') + 1), name, schema.Name, hint);
    }
}
