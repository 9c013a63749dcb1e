using System.Collections.Immutable;
using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Every declared name, and each declaration's entries with those of its base and the overrides laid over.</summary>
internal sealed class Declarations
{
    private const int MaximumBases = 64;

    private readonly DiagnosticBag _diagnostics;
    private readonly Dictionary<string, ObjectSyntax> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ImmutableArray<EntrySyntax>> _entries = new(StringComparer.Ordinal);
    private readonly List<string> _resolving = new();
    private readonly HashSet<string> _circular = new(StringComparer.Ordinal);
    private readonly ILookup<string, Override> _overrides;

    private Declarations(IEnumerable<DeclarationSyntax> declarations, Overrides overrides, DiagnosticBag diagnostics)
    {
        _diagnostics = diagnostics;
        foreach (var declaration in declarations) Add(declaration);
        foreach (var set in overrides.Parameters) SetParameter(set);
        _overrides = overrides.Attributes.Select(o => (Target: Target(o, overrides.Model), Override: o))
            .Where(p => p.Target is not null).ToLookup(p => p.Target!, p => p.Override, StringComparer.Ordinal);
    }

    public Dictionary<string, ExpressionSyntax> Parameters { get; } = new(StringComparer.Ordinal);

    /// <summary>In order of declaration.</summary>
    public List<ObjectSyntax> Objects { get; } = new();

    public static Declarations Collect(IEnumerable<DeclarationSyntax> declarations, Overrides overrides, DiagnosticBag diagnostics) =>
        new(declarations, overrides, diagnostics);

    public ObjectSyntax? Find(string name) => _byName.TryGetValue(name, out var found) ? found : null;

    public IEnumerable<string> NamesOf(string kind) => Objects.Where(o => o.Kind.Text == kind).Select(o => o.Name.Text);

    /// <summary>Null: its base cannot be resolved, which has been reported.</summary>
    public ImmutableArray<EntrySyntax>? Entries(ObjectSyntax item)
    {
        if (_entries.TryGetValue(item.Name.Text, out var known)) return known;
        if (_circular.Contains(item.Name.Text)) return null;
        var entries = item.Entries;
        if (item.Base is not null && item.Kind.Text != "extend")
        {
            if (Base(item, item.Kind.Text) is not { } from) return null;
            if (_resolving.Contains(item.Name.Text))
            {
                // Told once, at the member of the circle that comes first.
                if (!_circular.Add(item.Name.Text)) return null;
                _circular.UnionWith(_resolving);
                var circle = _resolving.SkipWhile(n => n != item.Name.Text).Append(item.Name.Text);
                _diagnostics.Add(Catalogue.CyclicBase(item.Base.Span, string.Join(" → ", circle)));
                return null;
            }

            if (_resolving.Count == MaximumBases)
            {
                _diagnostics.Add(Catalogue.ChainTooLong(item.Base.Span, item.Name.Text, MaximumBases));
                return null;
            }

            _resolving.Add(item.Name.Text);
            var inherited = Entries(from);
            _resolving.RemoveAt(_resolving.Count - 1);
            if (inherited is null) return null;
            entries = Merging.Merge(inherited.Value, entries);
        }

        foreach (var set in _overrides[item.Name.Text]) entries = Apply(item, entries, set);
        return _entries[item.Name.Text] = entries;
    }

    /// <summary>The declaration behind <c>from</c>, of the kind asked for.</summary>
    public ObjectSyntax? Base(ObjectSyntax item, params string[] kinds)
    {
        if (Find(item.Base!.Text) is not { } found)
        {
            var near = Spelling.DidYouMean(item.Base.Text, kinds.SelectMany(NamesOf));
            _diagnostics.Add(Catalogue.UnknownBase(item.Base.Span, item.Base.Text, kinds[0], near));
            return null;
        }

        if (kinds.Contains(found.Kind.Text)) return found;
        _diagnostics.Add(Catalogue.BaseOfOtherKind(item.Base.Span, found.Name.Text, found.Kind.Text, kinds[0]));
        return null;
    }

    private void Add(DeclarationSyntax declaration)
    {
        switch (declaration)
        {
            case ParameterSyntax parameter when Parameters.TryGetValue(parameter.Name.Text, out var first):
                _diagnostics.Add(Catalogue.DuplicateDeclaration(parameter.Name.Span, parameter.Name.Text, "param", first.Span));
                break;
            case ParameterSyntax parameter:
                Parameters[parameter.Name.Text] = parameter.Value;
                break;
            // Its header did not parse either: this is no misspelt declaration but something else altogether.
            case ObjectSyntax { HasErrors: true, Entries.IsEmpty: true } item when Schemas.ByKind(item.Kind.Text) is null:
                break;
            case ObjectSyntax item when Schemas.ByKind(item.Kind.Text) is null:
                _diagnostics.Add(Catalogue.UnknownDeclaration(item.Kind.Span, item.Kind.Text, 
                    Spelling.DidYouMean(item.Kind.Text, DeclarationWords.All)));
                // Remembered, so that what names it is not wrong as well.
                _byName[item.Name.Text] = item;
                break;
            case ObjectSyntax item when _byName.TryGetValue(item.Name.Text, out var first):
                _diagnostics.Add(Catalogue.DuplicateDeclaration(item.Name.Span, item.Name.Text, first.Kind.Text, first.Name.Span));
                break;
            case ObjectSyntax item:
                _byName[item.Name.Text] = item;
                Objects.Add(item);
                break;
        }
    }

    private void SetParameter(Override set)
    {
        var name = set.Path.Steps[0].Name;
        if (Parameters.ContainsKey(name)) Parameters[name] = set.Value;
        else _diagnostics.Add(Catalogue.SetTargetNotFound(set.Span, name, "there is no such parameter", 
            Spelling.DidYouMean(name, Parameters.Keys)));
    }

    private string? Target(Override set, string? model)
    {
        var first = set.Path.Steps[0].Name;
        if (_byName.ContainsKey(first)) return first;
        var path = string.Join(".", set.Path.Steps.Select(s => s.Name));
        if (Schemas.ByKind(first) is null)
        {
            _diagnostics.Add(Catalogue.SetTargetNotFound(set.Span, path, $"nothing is called '{first}'", 
                Spelling.DidYouMean(first, _byName.Keys)));
            return null;
        }

        // Kind and name, when somebody says both.
        if (set.Path.Steps is [_, var second, _, ..] && Find(second.Name) is { } both && both.Kind.Text == first) return both.Name.Text;

        // The kind instead of a name, when that leaves no doubt.
        var named = NamesOf(first).ToArray();
        if (first == "model" && model is not null && named.Contains(model)) return model;
        if (named.Length == 1) return named[0];
        var reason = named.Length == 0 ? $"there is no {first}" : $"there are {named.Length} of kind {first}: {string.Join(", ", named)}";
        _diagnostics.Add(Catalogue.SetTargetNotFound(
            set.Span, path, reason, named.Length == 0 ? null : $"begin with a name, as in {named[0]}.{path.Substring(first.Length + 1)}"));
        return null;
    }

    private ImmutableArray<EntrySyntax> Apply(ObjectSyntax item, ImmutableArray<EntrySyntax> entries, Override set)
    {
        var steps = set.Path.Steps;
        var named = steps.Length > 2 && steps[0].Name == item.Kind.Text && steps[0].Name != item.Name.Text && steps[1].Name == item.Name.Text;
        var result = Overrides.Apply(Schemas.ByKind(item.Kind.Text)!, entries, set, named ? 2 : 1, out var problem, out var hint);
        if (problem is null) return result;
        _diagnostics.Add(Catalogue.SetTargetNotFound(set.Span, string.Join(".", steps.Select(s => s.Name)), problem, hint));
        return entries;
    }
}
