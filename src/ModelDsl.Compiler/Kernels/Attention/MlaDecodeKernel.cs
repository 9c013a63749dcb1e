using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// Attention of one new token per sequence in absorbed form (V2 report, section 2.1): all heads share one key of width rank + rope, the
/// row of the paged cache, and its first <c>rank</c> components are the value. A sequence is cut into splits of
/// <paramref name="SplitPages"/> pages; each gives a normalised partial sum and the logarithm, to base two, of its denominator.
/// </summary>
public sealed record MlaDecodeKernel(
    int Heads, int KvRank, int NopeDim, int RopeDim, int Page, int SplitPages, double Scale, DType Io) : Kernel
{
    /// <summary>Width of a row of the cache.</summary>
    public int RowWidth => KvRank + RopeDim;

    /// <summary>Tokens of a full split.</summary>
    public int SplitTokens => Page * SplitPages;

    public override string Name =>
        $"mla_decode_h{Heads}_c{KvRank}_n{NopeDim}_r{RopeDim}_p{Page}x{SplitPages}_s{KernelNames.Of(Scale)}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("q_latent", Io),
        KernelParameter.In("q", Io),
        KernelParameter.In("cache", Io),
        KernelParameter.In("pages", DType.I32),
        KernelParameter.In("lengths", DType.I32),
        KernelParameter.Out("partial", DType.F32),
        KernelParameter.Out("lse", DType.F32),
        KernelParameter.Int("max_pages"),
        KernelParameter.Int("splits"),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => Io == DType.BF16
        ? new LaunchGeometry(Dim.Splits, (Heads + 15) / 16, Dim.Tokens, MlaDecodeBf16.Threads, MlaDecodeBf16.SharedBytes(this))
        : new LaunchGeometry(Dim.Splits, Heads, Dim.Tokens, MlaDecodeF32.Threads, MlaDecodeF32.SharedBytes(this));

    protected override void Write(KernelBuilder k)
    {
        if (Io == DType.BF16) new MlaDecodeBf16(this, k).Emit();
        else new MlaDecodeF32(this, k).Emit();
    }
}
