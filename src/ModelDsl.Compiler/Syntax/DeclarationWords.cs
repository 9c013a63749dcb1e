using System.Collections.Immutable;

namespace ModelDsl.Compiler.Syntax;

/// <summary>The words a declaration may start with.</summary>
public static class DeclarationWords
{
    public static ImmutableArray<string> All { get; } =
        ["model", "precision", "cluster", "train", "extend", "serve", "use", "param"];

    public static bool IsKind(string word) => All.Contains(word);
}
