using ModelDsl.Compiler.Graph.Ops;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary><c>score</c>, <c>select_experts</c>. Scores are still written where somebody looks at them.</summary>
internal static class GateFusion
{
    public static Fusion Fusion { get; } = new("gate", Apply);

    private static void Apply(FusionGraph graph)
    {
        foreach (var (position, select) in graph.All<SelectExpertsOp>())
            if (graph.Maker<ScoreOp>(select.Scores) is { } score && score.Op.Function == select.Moe.Gate.Score)
                graph.Replace(
                    position,
                    new GateOp(
                        score.Op.Logits, select.Bias, select.Moe, select.Indices, select.Weights,
                        graph.IsPrivate(select.Scores) ? null : select.Scores),
                    score.Position);
    }
}
