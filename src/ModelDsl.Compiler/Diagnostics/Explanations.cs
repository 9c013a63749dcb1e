namespace ModelDsl.Compiler.Diagnostics;

/// <summary>The long explanation of each code, a Markdown text embedded in the library: <c>Explain/DSM0123.md</c>.</summary>
public static class Explanations
{
    /// <summary>The heading alone: "Unknown attribute, block or step".</summary>
    public static string Title(DiagnosticCode code)
    {
        var heading = Of(code).Split('\n')[0];
        return heading.Substring(heading.IndexOf(": ", StringComparison.Ordinal) + 2).TrimEnd();
    }

    /// <exception cref="InvalidOperationException">A code has no text; a test keeps that from happening.</exception>
    public static string Of(DiagnosticCode code)
    {
        var assembly = typeof(Explanations).Assembly;
        using var stream = assembly.GetManifestResourceStream($"Explain.{code.Id()}.md")
            ?? throw new InvalidOperationException($"{code.Id()} has no explanation");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
