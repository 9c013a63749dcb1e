using System.Collections.Immutable;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>All tables, by the word a declaration starts with.</summary>
public static class Schemas
{
    public static ImmutableArray<BlockSchema> All { get; } =
    [
        ModelSchema.Model, PrecisionSchema.Precision, ClusterSchema.Cluster, TrainSchema.Train, TrainSchema.Extend, ServeSchema.Serve,
    ];

    public static BlockSchema? ByKind(string kind) => All.FirstOrDefault(s => s.Name == kind);
}
