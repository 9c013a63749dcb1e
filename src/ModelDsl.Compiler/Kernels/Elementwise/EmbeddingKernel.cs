using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary>Row <c>ids[t]</c> of the embedding for every token; an id outside of the table gives a row of zeros.</summary>
/// <remarks>
/// One vector per thread; up to four warps per block and as many blocks along y as a row takes. Moves a row in and a row out per token.
/// </remarks>
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

    protected override void Write(KernelBuilder k)
    {
        var ids = k.GlobalPtrParam<S32>("ids");
        var table = ActivationPtr.Param(k, "table", Table);
        var output = ActivationPtr.Param(k, "out", Io);
        var row = BlockRow.Of(k, "tokens");

        var id = ids[row];
        var known = id.As<U32>() < (uint)Vocabulary;
        var walk = RowWalk.OfGrid(k, Tiling);
        var piece = walk.Pieces(0).Single();
        var from = table.Row(id, Hidden).Plus(walk.Start);
        var to = output.Row(row, Hidden).Plus(walk.Start);
        if (Table == Io) to.Bytes.StoreBytes(from.Bytes.LoadBytes(Tiling.Vector * Io.Bytes(), piece.Inside & known), piece.Inside);
        else to.Store(0, from.Load(0, Tiling.Vector, piece.Inside & known), piece.Inside);
    }
}
