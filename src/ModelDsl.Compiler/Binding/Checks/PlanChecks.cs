using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>Checks that training and serving share.</summary>
internal static class PlanChecks
{
    public static void Experts(ModelSpec model, int ranks, int redundant, SourceSpan at, string? hint, DiagnosticBag diagnostics)
    {
        foreach (var routed in model.Layers.Select(l => l.FeedForward).OfType<MoeSpec>().Select(m => m.Routed).Distinct())
        {
            if (redundant == 0 && routed % ranks != 0) diagnostics.Add(Catalogue.ExpertsPerRank(at, routed, ranks, hint));
            if (redundant > 0 && (routed + (long)redundant) % ranks != 0)
                diagnostics.Add(Catalogue.ExpertUnit(at, $"{routed} experts and {redundant} copies do not divide among {ranks} ranks: "
                    + $"{(routed + (long)redundant) % ranks} left over",
                    Nearest.Hint("redundant", redundant, redundant + (long)ranks, copies => (routed + copies) % ranks == 0)));
        }
    }

    public static void Precision(PrecisionSpec precision, ClusterSpec cluster, SourceSpan at, DiagnosticBag diagnostics)
    {
        if (precision.Gemm.IsFp8 && cluster.Gpu.Fp8FlopsPerSecond <= 0)
            diagnostics.Add(Catalogue.Fp8Unsupported(at, cluster.Gpu.Name, cluster.Gpu.Target));
    }
}
