using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Binding;

/// <summary>Collects messages; the same message at the same place counts once (a base is bound again in every variant).</summary>
internal sealed class DiagnosticBag
{
    /// <summary>So many that nobody will read on; what would find more may stop.</summary>
    private const int Plenty = 1000;

    private readonly HashSet<(DiagnosticCode, SourceSpan, string)> _seen = new();
    private readonly List<Diagnostic> _items = new();

    public IReadOnlyList<Diagnostic> Items => _items;

    public bool IsFull => _items.Count >= Plenty;

    public int ErrorCount { get; private set; }

    public void Add(Diagnostic diagnostic)
    {
        // Counted even when already seen: a variant of a broken base is broken as well.
        if (diagnostic.IsError) ErrorCount++;
        if (_seen.Add((diagnostic.Code, diagnostic.Span, diagnostic.Message))) _items.Add(diagnostic);
    }

    /// <summary>Marks what is being bound as broken by an error that has been reported elsewhere.</summary>
    public void Poison() => ErrorCount++;

    public void AddRange(IEnumerable<Diagnostic> diagnostics)
    {
        foreach (var diagnostic in diagnostics) Add(diagnostic);
    }
}
