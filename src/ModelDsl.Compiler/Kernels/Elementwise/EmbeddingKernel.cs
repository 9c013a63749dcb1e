using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary>Row <c>ids[t]</c> of the embedding for every token; an id outside of the table gives a row of zeros.</summary>
/// <param name="Table">Element type of the table; converted to <paramref name="Io"/> where they differ.</param>
public sealed record EmbeddingKernel(int Vocabulary, int Hidden, DType Table, DType Io) : Kernel
{
    public override string Name => $"embedding_v{Vocabulary}_h{Hidden}_{Table.Text()}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("ids", DType.I32),
        KernelParameter.In("table", Table),
        KernelParameter.Out("out", Io),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Hidden, Table.Bytes() > Io.Bytes() ? Table : Io, grouped: false);
}
