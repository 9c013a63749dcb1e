using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Which tile a product of BF16 is made in: all there are, by the model of <see cref="HopperCosts"/>, the fastest first.</summary>
public static class Bf16GemmChoice
{
    /// <summary>Where two are as good, the one that is listed first.</summary>
    /// <param name="rows">M, at most.</param>
    public static ImmutableArray<GemmCandidate> Rank(long rows, int n, int k, DType output, HopperGpu gpu) =>
    [
        .. new[] { Bf16GemmTile.Many, Bf16GemmTile.Middle, Bf16GemmTile.Few }
            // A wide tile of FP32 leaves no room for stages.
            .Where(tile => output == DType.BF16 || tile != Bf16GemmTile.Many)
            .Select(tile => new Bf16Gemm(GemmForm.Forward, n, k, output, tile, HopperGpu.Multiprocessors))
            .Select(kernel => new GemmCandidate(kernel, HopperCosts.Of(kernel, rows, gpu)))
            .OrderBy(candidate => candidate.Cost.Microseconds),
    ];
}
