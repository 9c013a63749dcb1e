using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Loss;

/// <summary>What <see cref="CrossEntropyChunkKernel"/> has gathered, as <c>loss = factor * weight * sum_t (lse_t - logits[t, label_t])</c> over rows with a label, and each row's lse.</summary>
/// <remarks>One block: rows are few beside the logits. Sums are made in a fixed order.</remarks>
public sealed record CrossEntropyLossKernel(int Vocabulary, double Factor) : Kernel
{
    private const int Threads = 512;

    public override string Name => $"cross_entropy_loss_v{Vocabulary}_x{KernelNames.Of(Factor)}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("state", DType.F32),
        KernelParameter.In("labels", DType.I32),
        KernelParameter.In("weight", DType.F32),
        KernelParameter.Out("loss", DType.F32),
        KernelParameter.Out("lse", DType.F32),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(1, Threads);

    protected override void Write(KernelBuilder k)
    {
        var (states, labels, weight) = (k.GlobalPtrParam<F32>("state"), k.GlobalPtrParam<S32>("labels"), k.GlobalPtrParam<F32>("weight"));
        var (loss, lses) = (k.GlobalPtrParam<F32>("loss"), k.GlobalPtrParam<F32>("lse"));
        var sum = k.Var<F32>(0f);
        k.For(k.ThreadIdX, k.S32Param("tokens"), Threads, row =>
        {
            var state = states.Row(row, CrossEntropyChunkKernel.StateWidth);
            var lse = new RunningSoftmax(k, state.Load(0), state.Load(1)).Lse;
            lses.Store(lse, row);
            var label = labels.Load(row);
            sum.Value = sum.Value + k.Select((label >= 0) & (label < Vocabulary), lse - state.Load(2), 0f);
        });
        var total = k.BlockReduceSum(sum, Threads, k.Shared<F32>("warp_sums", Threads / 32));
        loss.StoreIf(k.ThreadIdX == 0, total * weight.Load() * (float)Factor);
    }
}
