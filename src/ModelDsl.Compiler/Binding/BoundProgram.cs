using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>All that a file and what it uses declare, in order of declaration. What has errors is missing from the lists.</summary>
/// <param name="Trains">Runs of <c>train</c>, and of <c>extend</c> with their stages.</param>
/// <param name="Diagnostics">In order of file and place.</param>
/// <param name="Sources">Every text that was read, root first; a diagnostic's span names one of their paths.</param>
public sealed record BoundProgram(
    ImmutableArray<ModelSpec> Models,
    ImmutableArray<PrecisionSpec> Precisions,
    ImmutableArray<ClusterSpec> Clusters,
    ImmutableArray<TrainSpec> Trains,
    ImmutableArray<ServeSpec> Serves,
    ImmutableArray<Diagnostic> Diagnostics,
    ImmutableArray<SourceText> Sources)
{
    public bool HasErrors => Diagnostics.Any(d => d.IsError);

    /// <summary>A declared policy, else one of the built-in <c>fp32</c>, <c>bf16</c>, <c>fp8</c>; null when there is neither.</summary>
    public PrecisionSpec? Precision(string name) => Precisions.FirstOrDefault(p => p.Name == name) ?? BuiltInPrecision.ByName(name);

    public ModelSpec? Model(string name) => Models.FirstOrDefault(m => m.Name == name);

    public SourceText? Source(string path) => Sources.FirstOrDefault(s => s.Path == path);
}
