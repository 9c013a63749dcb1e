using System.Collections.Immutable;

namespace ModelDsl.Compiler.Binding;

/// <param name="Set">Overrides, each as it was written behind <c>--set</c>: <c>x=9</c>, <c>model.attention.heads=64</c>.</param>
/// <param name="Model">What <c>model.…</c> means in an override when there are several models.</param>
/// <param name="Sources">Where <c>use</c> finds files; null: nowhere.</param>
public sealed record BindOptions(ImmutableArray<string> Set, string? Model = null, ISourceProvider? Sources = null)
{
    public static BindOptions Default { get; } = new(ImmutableArray<string>.Empty);
}
