using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Loss;

/// <summary>
/// <c>d_logits = gradient * factor * weight * (softmax(logits) - onehot(label))</c> of a chunk of columns, 0 in rows without a label and in columns behind the vocabulary; <c>d_logits</c> may be the logits.
/// </summary>
/// <remarks>One tile of a row per warp: each logit is read and each gradient written once, with one exponential between.</remarks>
/// <param name="Chunk">Columns of a chunk, and the row stride of both.</param>
public sealed record CrossEntropyGradKernel(int Chunk, int Vocabulary, DType Io, DType Out, double Factor) : Kernel
{
    public override string Name => $"cross_entropy_dgrad_c{Chunk}_v{Vocabulary}_{Io.Text()}_{Out.Text()}_x{KernelNames.Of(Factor)}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("logits", Io),
        KernelParameter.In("labels", DType.I32),
        KernelParameter.In("lse", DType.F32),
        KernelParameter.In("weight", DType.F32),
        KernelParameter.In("gradient", DType.F32),
        KernelParameter.Out("d_logits", Out),
        KernelParameter.Int("first"),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    /// <summary>Vectors as the wider of both has them.</summary>
    private RowTiling Tiling => RowTiling.Streaming(Chunk, Io == DType.F32 ? Io : Out, grouped: false);

    protected override void Write(KernelBuilder k)
    {
        var logits = ActivationPtr.Param(k, "logits", Io);
        var (labels, lses) = (k.GlobalPtrParam<S32>("labels"), k.GlobalPtrParam<F32>("lse"));
        var (weight, gradient) = (k.GlobalPtrParam<F32>("weight"), k.GlobalPtrParam<F32>("gradient"));
        var output = ActivationPtr.Param(k, "d_logits", Out);
        var first = k.S32Param("first");
        var row = BlockRow.Of(k, "tokens");

        var walk = RowWalk.OfGrid(k, Tiling);
        var piece = walk.Pieces(0).Single();
        var values = logits.Row(row, Chunk).Plus(walk.Start).Load(0, Tiling.Vector, piece.Inside);
        var (label, lse) = (labels.Load(row), lses.Load(row));
        var scale = k.Select((label >= 0) & (label < Vocabulary), gradient.Load() * weight.Load() * (float)Factor, 0f);
        var column = first + walk.Start;
        var results = values.Select((value, i) =>
        {
            var p = k.Exp2((value - lse) * RunningSoftmax.Log2E);
            var d = scale * (p - k.Select(column + i == label, 1f, (F32)0f));
            // Neither what is behind the vocabulary nor a row without a label may bring in what is no number.
            return k.Select((column + i < Vocabulary) & (scale != 0f), d, 0f);
        }).ToArray();
        output.Row(row, Chunk).Plus(walk.Start).Store(0, results, piece.Inside);
    }
}
