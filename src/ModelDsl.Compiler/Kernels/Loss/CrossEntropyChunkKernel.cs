using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Loss;

/// <summary>
/// Cross-entropy over a vocabulary of which there are only some columns of logits at a time, so that nobody has to hold all of them: what a chunk adds to each row's running softmax, and the label's
/// logit when it comes by.
/// </summary>
/// <remarks>
/// One block per row, which reads its columns once, a few vectors of each thread under way together; about 4 FLOPs and one exponential per logit. Threads' and warps' sums meet in a fixed order.
/// </remarks>
/// <param name="Chunk">Columns of a chunk, and the row stride; columns behind the vocabulary may hold anything.</param>
/// <param name="Io">F32 or BF16.</param>
public sealed record CrossEntropyChunkKernel(int Chunk, int Vocabulary, DType Io) : Kernel
{
    private const int MostThreads = 512, Vectors = 4;

    /// <summary>Largest logit, sum of exponentials relative to it, the label's logit.</summary>
    public const int StateWidth = 3;

    public override string Name => $"cross_entropy_chunk_c{Chunk}_v{Vocabulary}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("logits", Io),
        KernelParameter.In("labels", DType.I32),
        KernelParameter.InOut("state", DType.F32),
        KernelParameter.Int("first"),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Threads);

    private int Vector => VectorWidth.Of(Io, Chunk);

    private int Threads => Math.Min(MostThreads, (Chunk / Vector + 31) / 32 * 32);

    protected override void Write(KernelBuilder k)
    {
        var logits = ActivationPtr.Param(k, "logits", Io);
        var (labels, states) = (k.GlobalPtrParam<S32>("labels"), k.GlobalPtrParam<F32>("state"));
        var first = k.S32Param("first");
        var row = BlockRow.Of(k, "tokens");
        logits = logits.Row(row, Chunk);
        var end = k.Min(Chunk, (S32)Vocabulary - first);

        var (largest, sum) = (k.Var<F32>(float.NegativeInfinity), k.Var<F32>(0f));
        k.For(k.ThreadIdX * Vector, end, Threads * Vector * Vectors, start =>
        {
            var from = logits.Plus(start);
            var offsets = Enumerable.Range(0, Vectors).Select(v => v * Threads * Vector).ToArray();
            // All but the last round are whole.
            k.If(start < end - (offsets[^1] + Vector - 1), () => Add(offsets.SelectMany(offset => from.Load(offset, Vector, true))), () => Add(offsets.SelectMany(
                offset => from.Load(offset, Vector, start < end - offset).Select((value, i) => k.Select(start < end - (offset + i), value, float.NegativeInfinity)))));
        });

        void Add(IEnumerable<F32> values)
        {
            var more = new RunningSoftmax(k, largest, sum).With([.. values]);
            (largest.Value, sum.Value) = (more.Largest, more.Sum);
        }

        var chunk = new RunningSoftmax(k, largest, sum).OfBlock(Threads / 32);
        k.If(k.ThreadIdX == 0, () =>
        {
            var state = states.Row(row, StateWidth);
            // Nothing has been written before the first chunk.
            var later = first > 0;
            var before = new RunningSoftmax(k, state.LoadOr(later, float.NegativeInfinity, 0), state.LoadOr(later, 0f, 1));
            var all = before.With(chunk);
            state.Store(all.Largest, 0);
            state.Store(all.Sum, 1);
            var column = labels.Load(row) - first;
            var here = (column >= 0) & (column < end);
            var label = logits.Plus(column).Load(0, 1, here)[0];
            state.Store(k.Select(here, label, state.LoadOr(later, 0f, 2)), 2);
        });
    }
}
