using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary>
/// A norm, with or without a residual sum before it, and <c>quantize</c> of its result. The unquantised rows are still written where
/// somebody else reads them, such as the router.
/// </summary>
internal static class NormQuantizeFusion
{
    public static Fusion Fusion { get; } = new("norm_quantize", Apply);

    private static void Apply(FusionGraph graph)
    {
        foreach (var (position, quantize) in graph.All<QuantizeOp>())
        {
            var normalised = graph.IsPrivate(quantize.X) ? null : quantize.X;
            if (graph.Maker<RmsNormOp>(quantize.X) is { } norm)
                graph.Replace(norm.Position, Plain(norm.Op, quantize, normalised), position);
            else if (graph.Maker<FusedNormOp>(quantize.X) is { Op.Quantised: null } residual)
                graph.Replace(
                    residual.Position,
                    residual.Op with { Normalised = normalised, Quantised = quantize.Result, Rounding = quantize.Rounding },
                    position);
        }
    }

    private static FusedNormOp Plain(RmsNormOp norm, QuantizeOp quantize, Value? normalised) =>
        new(norm.X, null, norm.Weight, norm.Epsilon, quantize.Rounding, null, normalised, quantize.Result);
}
