using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary>One pattern: what it is called in the pass's option, and how it rewrites.</summary>
internal sealed record Fusion(string Name, Action<FusionGraph> Apply);

/// <summary>Joins neighbours that one kernel can do, so that what passes between them never leaves the chip.</summary>
public static class FusePass
{
    /// <summary>In this order: a sum joins its norm before the norm joins what quantises its result.</summary>
    private static readonly Fusion[] Fusions =
    [
        ResidualNormFusion.Fusion,
        NormQuantizeFusion.Fusion,
        SwiGluQuantizeFusion.Fusion,
        LatentCacheFusion.Fusion,
        GatherQuantizeFusion.Fusion,
        GateFusion.Fusion,
    ];

    public static Pass Declaration { get; } = new(
        "fuse",
        "Joins neighbours that one kernel can do",
        "Residual sum and norm; norm and quantise, also where the unquantised rows are needed too; SwiGLU and quantise; norm, RoPE and "
        + "cache write of the latent; gather and quantise; scores and choice of experts. Fusing changes no bit of any result.",
        [new PassOption("without", $"Fusions to leave out, separated by '+', of: {Names}", "")],
        Run);

    private static string Names => string.Join(", ", Fusions.Select(fusion => fusion.Name));

    private static ModelGraph Run(ModelGraph graph, PassContext context)
    {
        var without = context["without"].Split(['+'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var name in without)
            if (Fusions.All(fusion => fusion.Name != name))
                throw new PassException($"fuse knows no '{name}'.", $"It knows {Names}.");

        var fusing = new FusionGraph(graph);
        foreach (var fusion in Fusions)
            if (!without.Contains(fusion.Name))
                fusion.Apply(fusing);
        return DeadOps.Removed(fusing.Build());
    }
}
