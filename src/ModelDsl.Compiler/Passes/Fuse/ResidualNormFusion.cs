using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary><c>add</c>, <c>rms_norm</c> of the sum: the sum is written and stays in registers for the norm.</summary>
internal static class ResidualNormFusion
{
    public static Fusion Fusion { get; } = new("residual_norm", Apply);

    private static void Apply(FusionGraph graph)
    {
        foreach (var (position, add) in graph.All<AddOp>())
            if (graph.Reader<RmsNormOp>(add.Result) is { } norm)
                graph.Replace(
                    position,
                    new FusedNormOp(add.A, add.B, norm.Op.Weight, norm.Op.Epsilon, ScaleRounding.Exact, add.Result, norm.Op.Result, null),
                    norm.Position);
    }
}
