using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// Merges the splits of <see cref="MlaDecodeKernel"/>: their mean, weighted by 2^lse. A block takes one head of one sequence and reads
/// P·rank sums once. A split without weight is not read, since nobody wrote it.
/// </summary>
public sealed record MlaCombineKernel(int Heads, int KvRank, DType Io) : Kernel
{
    public override string Name => $"mla_combine_h{Heads}_c{KvRank}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("partial", DType.F32),
        KernelParameter.In("lse", DType.F32),
        KernelParameter.Out("out", Io),
        KernelParameter.Int("splits"),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Heads, Dim.Tokens, 1, Threads);

    private int Threads => Math.Min(128, (KvRank + 31) / 32 * 32);

    protected override void Write(KernelBuilder k)
    {
        var partial = k.GlobalPtrParam<F32>("partial");
        var lse = k.GlobalPtrParam<F32>("lse");
        var asBf16 = Io == DType.BF16 ? k.GlobalPtrParam<BF16>("out") : null;
        var asF32 = Io == DType.F32 ? k.GlobalPtrParam<F32>("out") : null;
        var splits = k.S32Param("splits");
        _ = k.S32Param("tokens");
        var (head, sequence) = (k.BlockIdX, k.BlockIdY);
        var first = sequence * splits * Heads + head;

        k.Comment("weights of the splits relative to the heaviest");
        var largest = k.Var<F32>(float.NegativeInfinity);
        k.For(0, splits, s => largest.Set(k.Max(largest, lse.Load(first + s * Heads))));
        var total = k.Var<F32>(0f);
        k.For(0, splits, s => total.Set(total.Value + k.Exp2(lse.Load(first + s * Heads) - largest)));

        k.For(k.ThreadIdX, KvRank, Threads, column =>
        {
            var sum = k.Var<F32>(0f);
            k.For(0, splits, s =>
            {
                var weight = k.Exp2(lse.Load(first + s * Heads) - largest);
                var value = (partial.Row(first + s * Heads, KvRank) + column).LoadOr(weight > 0f, 0f);
                sum.Set(k.Fma(weight, value, sum));
            });
            var merged = sum.Value / total;
            var row = sequence * Heads + head;
            if (asBf16 is not null) asBf16.Row(row, KvRank).Store(k.ToBF16(merged), column);
            else asF32!.Row(row, KvRank).Store(merged, column);
        });
    }
}
