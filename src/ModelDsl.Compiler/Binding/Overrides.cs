using System.Collections.Immutable;
using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>The overrides of a command line, parsed, and how one is laid over a declaration's entries.</summary>
internal sealed class Overrides
{
    private readonly List<Override> _all = new();

    public string? Model { get; private set; }

    /// <summary>The override texts, so that a message can quote them.</summary>
    public List<SourceText> Sources { get; } = new();

    public IEnumerable<Override> Parameters => _all.Where(o => o.Path.Steps.Length == 1);

    public IEnumerable<Override> Attributes => _all.Where(o => o.Path.Steps.Length > 1);

    public static Overrides Parse(BindOptions options, DiagnosticBag diagnostics)
    {
        var overrides = new Overrides { Model = options.Model };
        foreach (var text in options.Set)
        {
            var name = "--set " + text;
            // Blanks for the path, so that places in the value are places in the whole text.
            var source = SourceText.From(name, text);
            overrides.Sources.Add(source);
            var whole = new SourceSpan(name, 0, source.Text.Length);
            if (source.Problem is { } problem)
            {
                diagnostics.Add(problem);
                continue;
            }

            if (SetPath.TryParse(text) is not { } path)
            {
                diagnostics.Add(Catalogue.BadSetPath(whole, text));
                continue;
            }

            var padded = SourceText.From(name, new string(' ', path.ValueStart) + path.Value);
            var (value, problems) = DsmSyntax.ParseValue(padded);
            diagnostics.AddRange(problems);
            overrides._all.Add(new Override(path, value, new SourceSpan(name, 0, path.ValueStart - 1)));
        }
        return overrides;
    }

    /// <summary>The entries with an attribute set, or the reason why there is no such attribute.</summary>
    public static ImmutableArray<EntrySyntax> Apply(
        BlockSchema schema, ImmutableArray<EntrySyntax> entries, Override set, int step, out string? problem, out string? hint)
    {
        problem = hint = null;
        var (name, label) = (set.Path.Steps[step].Name, set.Path.Steps[step].Label);
        var span = set.Span;
        if (step == set.Path.Steps.Length - 1)
        {
            if (schema.Attribute(name) is null)
            {
                problem = $"'{schema.Name}' has no attribute '{name}'";
                hint = Spelling.DidYouMean(name, schema.Attributes.Select(a => a.Name));
                return entries;
            }

            var attribute = new AttributeSyntax(span, new NameSyntax(span, name), set.Value);
            return entries.RemoveAll(e => e is AttributeSyntax && e.Name.Text == name).Add(attribute);
        }

        if (schema.Child(name) is not { } child)
        {
            problem = $"'{schema.Name}' has no block '{name}'";
            hint = Spelling.DidYouMean(name, schema.Blocks.Select(b => b.Block.Name));
            return entries;
        }

        var found = false;
        var next = set.Path.Steps[step + 1].Name;
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i] is not BlockSyntax block || block.Name.Text != name) continue;
            if (label is not null && Label(block) != label) continue;
            // Without a label, of several blocks those that hold the next one of the path.
            if (label is null && child.Repeats && child.Block.Child(next) is not null
                && !block.Entries.Any(e => e.Name.Text == next)) continue;
            found = true;
            entries = entries.SetItem(i, block with { Entries = Apply(child.Block, block.Entries, set, step + 1, out problem, out hint) });
        }

        if (found) return entries;
        if (child.Repeats)
        {
            problem = label is null ? $"no '{name}' holds '{next}'" : $"there is no '{name}' with the label {label}";
            return entries;
        }
        var made = new BlockSyntax(span, new NameSyntax(span, name), null, Apply(child.Block, [], set, step + 1, out problem, out hint));
        return entries.Add(made);
    }

    private static string Label(BlockSyntax block) => block.Label switch
    {
        QuantitySyntax q => q.Text,
        ReferenceSyntax r => r.Name,
        RangeSyntax { First: QuantitySyntax first, Last: QuantitySyntax last } => $"{first.Text}..{last.Text}",
        _ => "",
    };
}

/// <param name="Span">The path, in the text of the override.</param>
internal sealed record Override(SetPath Path, ExpressionSyntax Value, SourceSpan Span);
