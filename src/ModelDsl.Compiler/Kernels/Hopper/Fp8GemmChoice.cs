using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Which kernel makes a product: all there are, by the model of <see cref="HopperCosts"/>, the fastest first.</summary>
public static class Fp8GemmChoice
{
    /// <summary>Steps that stay together where depth is dealt out: fewer even work out less, more share less.</summary>
    private static readonly int[] Chunks = [2, 4, 8];

    /// <summary>Where two are as good, the one that is listed first.</summary>
    /// <param name="rows">M, at most.</param>
    public static ImmutableArray<GemmCandidate> Rank(long rows, int n, int k, DType output, HopperGpu gpu) =>
    [
        .. Candidates(rows, n, k, output)
            .Select(kernel => new GemmCandidate(kernel, kernel is Fp8GemmFewRows few ? HopperCosts.Of(few, rows, gpu) : HopperCosts.Of((Fp8Gemm)kernel, rows, gpu)))
            .OrderBy(candidate => candidate.Cost.Microseconds),
    ];

    public static Kernel Best(long rows, int n, int k, DType output, HopperGpu gpu) => Rank(rows, n, k, output, gpu)[0].Kernel;

    private static IEnumerable<Kernel> Candidates(long rows, int n, int k, DType output)
    {
        const int Blocks = HopperGpu.Multiprocessors;
        var steps = (k + Fp8GemmTile.Step - 1) / Fp8GemmTile.Step;
        foreach (var tile in new[] { Fp8GemmTile.Many, Fp8GemmTile.Three, Fp8GemmTile.Middle, Fp8GemmTile.Few })
            yield return new Fp8Gemm(n, k, output, tile, Blocks);
        if (rows > FewRowsTile.MostRows) yield break;
        foreach (var outputs in new[] { 128, 64 })
            foreach (var chunk in Chunks.Where(chunk => chunk < steps).Prepend(steps))
                yield return new Fp8GemmFewRows(n, k, output, new FewRowsTile(FewRowsTile.RowsFor(rows), outputs, chunk), Blocks);
    }
}
