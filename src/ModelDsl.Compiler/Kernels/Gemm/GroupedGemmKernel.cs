using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>One product per expert with the rows that it got.</summary>
public sealed record GroupedGemmKernel(int Experts, int N, int K, int Active, DType A, DType W, DType Out, GemmShape Shape) : Kernel
{
    public int TileRows => Shape == GemmShape.Tile ? 64 : 16;

    public override string Name =>
        $"grouped_gemm_e{Experts}_n{N}_k{K}_t{Active}_{A.Text()}_{W.Text()}_{Out.Text()}_{Shape.ToString().ToLowerInvariant()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", A), KernelParameter.In("w", W), KernelParameter.Out("c", Out),
        KernelParameter.In("offsets", DType.I32), KernelParameter.In("tile_expert", DType.I32), KernelParameter.In("tile_row", DType.I32),
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry =>
        new((N + 63) / 64, Dim.Min(Dim.Rows, Dim.CeilDiv(Dim.Rows, TileRows) + Experts), 1, 128);
}
