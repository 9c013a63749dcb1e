using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;

namespace ModelDsl.Simulation.Memory;

/// <summary>
/// What a block keeps of a micro-batch, bytes (V3 report, sections 3.2.3 and 3.3.3): linear layers' inputs in the policy's cache format,
/// attention's output in its own, the streams in BF16, and nothing of what the policy recomputes.
/// </summary>
/// <param name="Saved">From the forward to the gradient of the inputs; logits apart.</param>
/// <param name="Pinned">From there to the gradient of the weights: both operands of it.</param>
/// <param name="Logits">As long as <paramref name="Saved"/>; their gradient takes their place.</param>
/// <param name="WorkingForward">Most that the forward needs besides, for a while.</param>
/// <param name="WorkingBackward">Most that the backward needs besides.</param>
public sealed record SavedTensors(double Saved, double Pinned, double Logits, double WorkingForward, double WorkingBackward)
{
    private const double Bf16 = 2;
    private const double Fp32 = 4;

    public static SavedTensors None { get; } = new(0, 0, 0, 0, 0);

    /// <summary>Of blocks one after the other: what is kept adds up, what is needed for a while does not.</summary>
    public static SavedTensors operator +(SavedTensors a, SavedTensors b) => new(
        a.Saved + b.Saved, a.Pinned + b.Pinned, a.Logits + b.Logits,
        Math.Max(a.WorkingForward, b.WorkingForward), Math.Max(a.WorkingBackward, b.WorkingBackward));

    /// <param name="rankLoad">Rows of the rank's experts, beside the mean.</param>
    public static SavedTensors Of(BlockWork block, TrainSpec train, double rankLoad)
    {
        var (model, tokens) = (train.Model, (double)train.Data.Sequence);
        var formats = new Formats(train.Precision);
        var perToken = block.Kind switch
        {
            BlockKind.Embedding => None,
            BlockKind.Head => Head(model),
            BlockKind.Mtp => Projection(model, formats) + Attention(model, formats, train.Parallel.Tensor)
                + FeedForward(model, block.Spec!, formats, rankLoad, train.Parallel.Tensor) + Head(model),
            _ => Attention(model, formats, train.Parallel.Tensor) + FeedForward(model, block.Spec!, formats, rankLoad, train.Parallel.Tensor),
        };
        return new SavedTensors(
            perToken.Saved * tokens, perToken.Pinned * tokens, perToken.Logits * tokens, perToken.WorkingForward * tokens,
            perToken.WorkingBackward * tokens);
    }

    private static SavedTensors Attention(ModelSpec model, Formats formats, int tensor)
    {
        var mla = model.Attention;
        var (hidden, queryRank, latent) = ((double)model.Hidden, (double)(mla.QRank ?? 0), (double)mla.KvRank);
        double heads = (double)mla.Heads / tensor;
        var (query, keyValue, output) = (heads * mla.QkDim, heads * (mla.NopeDim + mla.VDim), heads * mla.VDim);
        var saved = hidden * Bf16 + (queryRank + mla.CacheWidth) * Bf16 + output * formats.AttentionOutput + heads * Fp32;
        if (!formats.Recomputes("norm")) saved += (hidden + queryRank + latent) * formats.Activations;
        if (!formats.Recomputes("mla_up")) saved += (query + keyValue) * Bf16;
        var pinned = (hidden + queryRank + latent) * formats.Activations + output * formats.AttentionOutput
            + (queryRank + mla.CacheWidth + query + keyValue + hidden) * formats.Gradients;
        return new SavedTensors(saved, pinned, 0, (query + keyValue + output) * Bf16, 2 * (query + keyValue + output) * Bf16);
    }

    private static SavedTensors FeedForward(ModelSpec model, FeedForwardSpec block, Formats formats, double load, int tensor)
    {
        double hidden = model.Hidden;
        var stream = new SavedTensors(
            hidden * Bf16 + (formats.Recomputes("norm") ? 0 : hidden * formats.Activations), hidden * formats.Activations, 0, 0, 0);
        if (block is not MoeSpec moe) return stream + SwiGlu(hidden, (double)((DenseSpec)block).Width / tensor, 1, formats);

        // Every expert gets a row of its own, as it arrived; the router's scores and choices are kept in FP32.
        var rows = moe.Active * load;
        var dispatched = new SavedTensors(
            rows * hidden * formats.Activations + moe.Routed * Fp32 + moe.Active * 2 * Fp32, rows * hidden * formats.Activations, 0,
            rows * hidden * Bf16, rows * hidden * 2 * Bf16);
        var experts = SwiGlu(hidden, moe.Width, rows, formats);
        var shared = moe.Shared == 0 ? None : SwiGlu(hidden, (double)moe.Shared * moe.Width / tensor, 1, formats);
        var routed = dispatched + experts;
        return stream + shared + routed with
        {
            WorkingForward = dispatched.WorkingForward + experts.WorkingForward,
            WorkingBackward = dispatched.WorkingBackward + experts.WorkingBackward,
        };
    }

    /// <param name="rows">Rows for every token.</param>
    private static SavedTensors SwiGlu(double hidden, double width, double rows, Formats formats) => new(
        rows * (2 * width * formats.SwigluInput + (formats.Recomputes("swiglu") ? 0 : width * formats.Activations)),
        rows * (width * formats.Activations + (2 * width + hidden) * formats.Gradients),
        0, rows * 2 * width * Bf16, rows * 3 * width * Bf16);

    private static SavedTensors Projection(ModelSpec model, Formats formats)
    {
        double hidden = model.Hidden;
        var saved = 2 * hidden * Bf16 + (formats.Recomputes("norm") ? 0 : 2 * hidden * Bf16);
        return new SavedTensors(saved, 3 * hidden * Bf16, 0, 0, 0);
    }

    private static SavedTensors Head(ModelSpec model) => new(
        model.Hidden * Bf16, model.Hidden * Bf16 + model.Vocabulary * Bf16, model.Vocabulary * Fp32, 0, 0);

    /// <summary>Bytes of a value by its role.</summary>
    private sealed class Formats(PrecisionSpec precision)
    {
        private readonly HashSet<string> _recompute = precision.Cache is { } cache ? [.. cache.Recompute] : [];

        public double Activations { get; } = Bytes(precision, cache => cache.Activations);

        public double AttentionOutput { get; } = Bytes(precision, cache => cache.AttentionOutput);

        public double SwigluInput { get; } = Bytes(precision, cache => cache.SwigluInput);

        /// <summary>Of gradients that wait for their weights' turn.</summary>
        public double Gradients { get; } = AllToAll.BytesPerValue(precision.Gemm.IsFp8 ? NumberFormat.E4M3 : Wide(precision));

        public bool Recomputes(string what) => _recompute.Contains(what);

        private static double Bytes(PrecisionSpec precision, Func<CacheSpec, ScaledFormat> role) =>
            AllToAll.BytesPerValue(precision.Cache is { } cache ? role(cache).Format : Wide(precision));

        private static NumberFormat Wide(PrecisionSpec precision) =>
            precision.Gemm.Format == NumberFormat.Fp32 ? NumberFormat.Fp32 : NumberFormat.Bf16;
    }
}
