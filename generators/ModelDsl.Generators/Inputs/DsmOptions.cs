using System.Collections.Immutable;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Generators.Inputs;

/// <summary>What the project file says about a <c>.dsm</c> file, as metadata of its item.</summary>
/// <param name="Namespace">Of the generated classes: the project's root namespace.</param>
/// <param name="Target"><c>sm_90a</c>; null: that of the cluster's GPU, or the oldest that has what the precision needs.</param>
/// <param name="Precision">A policy of the file or a built-in one; null: the only one declared, or bf16.</param>
/// <param name="Set">Overrides as behind <c>--set</c>; in the project file they are separated by <c>|</c>.</param>
/// <param name="Model">The one model to make a class of; null: every model that the file declares.</param>
internal sealed record DsmOptions(string Namespace, string? Target, string? Precision, EquatableArray<string> Set, string? Model)
{
    private const string UsualNamespace = "ModelDsl.Generated";

    public static DsmOptions Read(AnalyzerConfigOptions file, AnalyzerConfigOptions project)
    {
        string? Metadata(string name) =>
            file.TryGetValue("build_metadata.AdditionalFiles." + name, out var value) && value.Trim().Length > 0 ? value.Trim() : null;

        var set = (Metadata("Set") ?? "").Split('|').Select(text => text.Trim()).Where(text => text.Length > 0);
        project.TryGetValue("build_property.RootNamespace", out var root);
        return new DsmOptions(
            root is not null && IsNamespace(root) ? root : UsualNamespace,
            Metadata("PtxTarget"), Metadata("Precision"), set.ToImmutableArray(), Metadata("Model"));
    }

    private static bool IsNamespace(string text) => text.Split('.').All(Microsoft.CodeAnalysis.CSharp.SyntaxFacts.IsValidIdentifier);
}
