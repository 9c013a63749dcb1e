using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Specs;

/// <summary>A network by its kind and figures: <c>multi_plane_fat_tree(planes: 8, radix: 64)</c>.</summary>
/// <param name="Fabric"><c>infiniband</c> or <c>roce</c>.</param>
public sealed record NetworkSpec(string Kind, string Fabric, EquatableArray<NamedNumber> Figures, Origin Origin)
{
    /// <summary>A figure that was given or has a default.</summary>
    public int Figure(string name) => TryFigure(name) ?? throw new InvalidOperationException($"{Kind} has no {name}");

    public int? TryFigure(string name) => Figures.Items.FirstOrDefault(figure => figure.Name == name) is { } found ? (int)found.Value : null;

    /// <summary>Networks side by side, each with one adapter of every node or more.</summary>
    public int Planes => TryFigure("planes") ?? TryFigure("rails") ?? 1;
}

public sealed record NamedNumber(string Name, double Value);
