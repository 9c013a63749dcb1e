using System.Collections.Immutable;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>
/// Derivation: a variant's entries over those of its base. Attributes replace, blocks merge entry by entry, a block of
/// steps replaces as a whole.
/// </summary>
internal static class Merging
{
    private const string Layers = "layers";

    public static ImmutableArray<EntrySyntax> Merge(ImmutableArray<EntrySyntax> inherited, ImmutableArray<EntrySyntax> own)
    {
        var ownLayers = own.OfType<BlockSyntax>().Where(b => b.Name.Text == Layers).ToArray();
        var inheritedLayers = inherited.OfType<BlockSyntax>().Where(b => b.Name.Text == Layers).ToArray();
        // Either the variant refines runs of layers that its base has, or it divides the layers anew.
        var divides = ownLayers.Any(o => !inheritedLayers.Any(i => SameLabel(i, o)));

        var result = ImmutableArray.CreateBuilder<EntrySyntax>();
        var used = new HashSet<object>(ReferenceComparer.Instance);
        foreach (var entry in inherited)
        {
            if (divides && entry is BlockSyntax { Name.Text: Layers }) continue;
            var over = own.FirstOrDefault(o => !used.Contains(o) && Overrides(o, entry));
            if (over is not null) used.Add(over);
            result.Add(over is null ? entry : entry is BlockSyntax a && over is BlockSyntax b ? MergeBlock(a, b) : over);
        }

        foreach (var entry in own.Where(o => !used.Contains(o)))
            result.Add(divides && entry is BlockSyntax { Name.Text: Layers } layer && SameFeedForward(inheritedLayers, layer) is { } like
                ? layer with { Entries = Merge(like.Entries, layer.Entries) }
                : entry);
        return result.ToImmutable();
    }

    private static BlockSyntax MergeBlock(BlockSyntax inherited, BlockSyntax own)
    {
        var otherKind = own.Label is not null && inherited.Label is not null && !SameLabel(inherited, own);
        var steps = own.Entries.Any(e => e is StepSyntax) || inherited.Entries.Any(e => e is StepSyntax);
        if (otherKind || steps) return own;
        // A run of layers that turns from dense to experts does not keep both.
        var turns = own.Entries.Any(o => o is BlockSyntax && !inherited.Entries.Any(i => i.Name.Text == o.Name.Text));
        var kept = inherited.Name.Text == Layers && turns
            ? ImmutableArray<EntrySyntax>.Empty
            : inherited.Entries;
        return own with { Label = own.Label ?? inherited.Label, Entries = Merge(kept, own.Entries) };
    }

    private static bool Overrides(EntrySyntax own, EntrySyntax inherited) =>
        own.Name.Text == inherited.Name.Text
        && own is not StepSyntax
        && (own.Name.Text != Layers || (own is BlockSyntax o && inherited is BlockSyntax i && SameLabel(i, o)));

    private static bool SameLabel(BlockSyntax a, BlockSyntax b) =>
        a.Label is not null && b.Label is not null && Text(a.Label) == Text(b.Label);

    /// <summary>The base's run of layers with the same kind of feed-forward; a new run starts from its settings.</summary>
    private static BlockSyntax? SameFeedForward(BlockSyntax[] inherited, BlockSyntax layer) =>
        inherited.FirstOrDefault(i =>
            i.Entries.Any(e => e is BlockSyntax && layer.Entries.Any(o => o is BlockSyntax && o.Name.Text == e.Name.Text)));

    private static string Text(ExpressionSyntax label) => label switch
    {
        QuantitySyntax q => q.Text,
        ReferenceSyntax r => r.Name,
        RangeSyntax r => Text(r.First) + ".." + Text(r.Last),
        _ => $"@{label.Span.Path}:{label.Span.Start}",
    };
}
