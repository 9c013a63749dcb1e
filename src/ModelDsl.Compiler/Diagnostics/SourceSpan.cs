namespace ModelDsl.Compiler.Diagnostics;

/// <summary>A stretch of a source text: which file, the first UTF-16 character, how many.</summary>
public readonly record struct SourceSpan(string Path, int Start, int Length)
{
    /// <summary>For what no text stands behind (built-in policies, specs made in code).</summary>
    public static SourceSpan None { get; } = new("", 0, 0);

    public int End => Start + Length;
}
