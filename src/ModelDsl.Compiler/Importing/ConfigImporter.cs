using System.Collections.Immutable;
using System.Text;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Formatting;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Importing;

/// <param name="Text">The .dsm text; null when the configuration cannot be expressed.</param>
/// <param name="PrecisionName">Name of the policy that matches the checkpoint's quantisation; null when it has none.</param>
/// <param name="Source">The configuration's text, which the diagnostics point into.</param>
public sealed record ImportResult(string? Text, string? PrecisionName, ImmutableArray<Diagnostic> Diagnostics, SourceText Source);

/// <summary>
/// Turns the <c>config.json</c> of a Hugging Face checkpoint of the DeepSeek-V2/V3 family into a .dsm text. What the
/// language cannot say is an error that names the key, never silently left out.
/// </summary>
public static class ConfigImporter
{
    /// <param name="name">Name of the model in the .dsm text; characters that a name may not have are dropped.</param>
    public static ImportResult Import(SourceText config, string name)
    {
        var diagnostics = new DiagnosticBag();
        var node = JsonReader.Read(config, out var problem);
        if (problem is not null) diagnostics.Add(problem);
        else if (node is not JsonObject) diagnostics.Add(Catalogue.NotJson(node!.Span, "the configuration is no object"));
        if (node is not JsonObject json) return new ImportResult(null, null, diagnostics.Items.ToImmutableArray(), config);

        var keys = new Config(json, diagnostics);
        UnsupportedKeys.Check(keys, diagnostics);
        var text = new StringBuilder();
        ModelText.Write(text, keys, Identifier(name), diagnostics);
        var precision = QuantizationText.Write(text, keys, diagnostics);
        var result = diagnostics.ErrorCount > 0 ? null : Formatter.Format(SourceText.From("imported.dsm", text.ToString())).Text;
        return new ImportResult(result, precision, diagnostics.Items.OrderBy(d => d.Span.Start).ToImmutableArray(), config);
    }

    private static string Identifier(string name)
    {
        var letters = new string(name.Where(c => c is '_' or (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9')).ToArray());
        if (letters.Length == 0) return "Imported";
        return char.IsDigit(letters[0]) ? "M" + letters : letters;
    }
}
