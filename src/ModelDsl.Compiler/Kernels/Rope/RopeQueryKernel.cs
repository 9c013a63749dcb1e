using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;

namespace ModelDsl.Compiler.Kernels.Rope;

/// <summary>
/// Rotates the last <c>RopeDim</c> components of every head of a query in place: the pair (2i, 2i+1) by the angle whose cosine and
/// sine stand at <c>[position, i]</c> of the tables.
/// </summary>
public sealed record RopeQueryKernel(int Heads, int NopeDim, int RopeDim, DType Io) : Kernel
{
    public override string Name => $"rope_query_h{Heads}_n{NopeDim}_r{RopeDim}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.InOut("q", Io),
        KernelParameter.In("cos", DType.F32),
        KernelParameter.In("sin", DType.F32),
        KernelParameter.In("positions", DType.I32),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, (VectorsPerToken + Threads - 1) / Threads, 1, Threads);

    /// <summary>Elements per access; where pairs are not aligned, a thread takes one pair element by element.</summary>
    private int Vector => VectorWidth.Of(Io, RopeDim, NopeDim + RopeDim, NopeDim);

    private int VectorsPerToken => Heads * RopeDim / Math.Max(2, Vector);

    private int Threads => Math.Min(128, (VectorsPerToken + 31) / 32 * 32);
}
