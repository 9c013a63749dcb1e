using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Text to specs: parse, follow <c>use</c>, derive variants, apply overrides, check, build.</summary>
public static class FrontEnd
{
    private const int MostDiagnostics = 100;

    public static BoundProgram Bind(SourceText root, BindOptions? options = null)
    {
        options ??= BindOptions.Default;
        var diagnostics = new DiagnosticBag();
        var loader = new Loader(options.Sources ?? NoSources.Instance, diagnostics);
        loader.Load(root);

        var overrides = Overrides.Parse(options, diagnostics);
        var declarations = Declarations.Collect(loader.Declarations, overrides, diagnostics);
        var evaluator = new Evaluator(diagnostics);
        foreach (var parameter in declarations.Parameters) evaluator.Define(parameter.Key, parameter.Value);
        evaluator.EvaluateParameters();

        var binder = new ProgramBinder(declarations, evaluator, diagnostics);
        binder.Bind();
        return binder.Program with
        {
            Diagnostics = InOrder(diagnostics.Items, loader.Sources),
            Sources = loader.Sources.Concat(overrides.Sources).ToImmutableArray(),
        };
    }

    /// <summary>By file in order of loading, then by place; the surplus of a hopeless file is counted, not listed.</summary>
    private static ImmutableArray<Diagnostic> InOrder(IReadOnlyList<Diagnostic> diagnostics, List<SourceText> sources)
    {
        var order = sources.Select((s, i) => (s.Path, i)).GroupBy(p => p.Path)
            .ToDictionary(g => g.Key, g => g.First().i, StringComparer.Ordinal);
        var sorted = diagnostics
            .OrderBy(d => order.TryGetValue(d.Span.Path, out var index) ? index : int.MaxValue)
            .ThenBy(d => d.Span.Start).ThenBy(d => d.Code).ToImmutableArray();
        if (sorted.Length <= MostDiagnostics) return sorted;
        var last = sorted[MostDiagnostics - 1].Span;
        return sorted.Take(MostDiagnostics).Append(Catalogue.TooManyErrors(last, sorted.Length - MostDiagnostics)).ToImmutableArray();
    }
}
