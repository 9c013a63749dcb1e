namespace ModelDsl.Generators.Products;

/// <summary>A C# file, or why there is none.</summary>
/// <param name="HintName">Its name under the generator's folder.</param>
internal sealed record GeneratedFile(string HintName, string Text, LocatedDiagnostic? Trouble = null)
{
    /// <summary>Writes a file of a model; a mistake of ours becomes a message.</summary>
    public static GeneratedFile Write(string hintName, string path, Func<string> text)
    {
        try
        {
            return new GeneratedFile(hintName, InvariantCulture.Run(text));
        }
        catch (Exception mistake) when (mistake is not OperationCanceledException)
        {
            return new GeneratedFile(hintName, "", LocatedDiagnostic.Bug(mistake, path));
        }
    }
}
