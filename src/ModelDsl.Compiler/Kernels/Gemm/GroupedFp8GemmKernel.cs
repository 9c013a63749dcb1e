using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary><see cref="GroupedGemmKernel"/> on E4M3 operands, scaled as in <see cref="Fp8GemmKernel"/>.</summary>
/// <param name="N">Outputs of an expert.</param>
/// <param name="K">Inputs of an expert.</param>
/// <param name="Active">Experts per token.</param>
public sealed record GroupedFp8GemmKernel(int Experts, int N, int K, int Active, DType Out, GemmShape Shape) : Kernel
{
    public override string Name =>
        $"grouped_gemm_fp8_e{Experts}_n{N}_k{K}_t{Active}_{Out.Text()}" + KernelNames.If(Shape == GemmShape.Skinny, "skinny");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.E4M3),
        KernelParameter.In("a_scales", DType.F32),
        KernelParameter.In("w", DType.E4M3),
        KernelParameter.In("w_scales", DType.F32),
        KernelParameter.Out("c", Out),
        .. ExpertTiles.Parameters,
        KernelParameter.Int("rows"),
    ];

    /// <summary>Rows of a tile of the list.</summary>
    public int TileRows => Plan.Rows;

    public override LaunchGeometry Geometry => Plan.Geometry(ExpertTiles.Count(TileRows, Experts), N);

    private GemmPlan Plan => GemmPlan.For(DType.E4M3, DType.E4M3, N, K, Shape, experts: true);

    protected override void Write(KernelBuilder k) => Plan.Write(k, () =>
    {
        var a = Matrix.Parameter(k, "a", DType.E4M3, K);
        var aScales = k.GlobalPtrParam<F32>("a_scales");
        var w = Matrix.Parameter(k, "w", DType.E4M3, K);
        var wScales = k.GlobalPtrParam<F32>("w_scales");
        var c = Matrix.Parameter(k, "c", Out, N);
        var tile = ExpertTiles.Read(k, TileRows);
        var rows = k.S32Param("rows");
        var scales = new BlockScales(aScales, ScaleColumns.Stride(rows), wScales.Row(tile.Expert, BlockScales.Count(N) * BlockScales.Count(K)), BlockScales.Count(K));
        w = w with { Start = w.Start.Row(tile.Expert, checked(N * K)) };
        return new GemmProblem(k, N, K, a, w, c, tile.First, tile.End, k.BlockIdY * Plan.Columns) { Scales = scales };
    });
}
