using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// A linear layer per expert over rows grouped by expert: rows <c>offsets[e]</c> to <c>offsets[e + 1]</c> meet <c>w[e]</c>. Row tiles
/// come from a list, so that experts without rows cost nothing; a tile never spans two.
/// </summary>
/// <param name="N">Outputs of an expert.</param>
/// <param name="K">Inputs of an expert.</param>
/// <param name="Active">Experts per token.</param>
public sealed record GroupedGemmKernel(int Experts, int N, int K, int Active, DType A, DType W, DType Out, GemmShape Shape) : Kernel
{
    public override string Name =>
        $"grouped_gemm_e{Experts}_n{N}_k{K}_t{Active}_{A.Text()}_{W.Text()}_{Out.Text()}"
        + KernelNames.If(Shape == GemmShape.Skinny, "skinny");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", A),
        KernelParameter.In("w", W),
        KernelParameter.Out("c", Out),
        .. ExpertTiles.Parameters,
        KernelParameter.Int("rows"),
    ];

    /// <summary>Rows of a tile of the list.</summary>
    public int TileRows => Plan.Rows;

    public override LaunchGeometry Geometry => Plan.Geometry(ExpertTiles.Count(TileRows, Experts), N);

    private GemmPlan Plan => GemmPlan.For(A, W, N, K, Shape, experts: true);

    protected override void Write(KernelBuilder k) => Plan.Write(k, () =>
    {
        var a = Matrix.Parameter(k, "a", A, K);
        var w = Matrix.Parameter(k, "w", W, K);
        var c = Matrix.Parameter(k, "c", Out, N);
        var tile = ExpertTiles.Read(k, TileRows);
        k.S32Param("rows");
        w = w with { Start = w.Start.Row(tile.Expert, checked(N * K * W.Bytes())) };
        return new GemmProblem(k, N, K, a, w, c, tile.First, tile.End, k.BlockIdY * Plan.Columns);
    });
}
