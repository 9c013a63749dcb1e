using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Rope;

/// <summary>
/// Rotates the last <c>RopeDim</c> components of every head of a query in place: the pair (2i, 2i+1) by the angle whose cosine and
/// sine stand at <c>[position, i]</c> of the tables.
/// </summary>
/// <remarks>
/// A thread has the same vector, of up to four pairs, in up to four heads, so that these are under way together and share their angles; up to 128 threads per block, blocks along y share a
/// token. Moves the rotated part in and out, and the token's row of the tables, which the heads share through the caches.
/// </remarks>
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

    public override LaunchGeometry Geometry => new(Dim.Rows, (ThreadsPerToken + Threads - 1) / Threads, 1, Threads);

    /// <summary>Elements per access; where pairs are not aligned, a thread takes one pair element by element.</summary>
    private int Vector => VectorWidth.Of(Io, RopeDim, NopeDim + RopeDim, NopeDim);

    private int PerThread => Math.Max(2, Vector);

    /// <summary>As many as leave a whole warp of threads.</summary>
    private int HeadsPerThread => new[] { 4, 2, 1 }.First(count => count == 1 || (Heads % count == 0 && Heads / count * RopeDim / PerThread >= 32));

    private int ThreadsPerToken => Heads / HeadsPerThread * RopeDim / PerThread;

    private int Threads => Math.Min(128, (ThreadsPerToken + 31) / 32 * 32);

    protected override void Write(KernelBuilder k)
    {
        var q = ActivationPtr.Param(k, "q", Io);
        var tables = RotaryTables.Param(k, RopeDim);
        var positions = k.GlobalPtrParam<S32>("positions");
        var row = BlockRow.Of(k, "tokens");
        var index = k.BlockIdY * Threads + k.ThreadIdX;
        if (ThreadsPerToken % Threads != 0) k.ReturnIf(index >= ThreadsPerToken);

        var perHead = RopeDim / PerThread;
        var head = NopeDim + RopeDim;
        var (heads, part) = (index / perHead, index % perHead);
        q = q.Row(row, Heads * head).Row(heads, HeadsPerThread * head).Plus(part * PerThread);
        tables.Rotate(positions[row], part * (PerThread / 2), q, q, [.. Enumerable.Range(0, HeadsPerThread).Select(i => i * head + NopeDim)], PerThread, Vector, true);
    }
}
