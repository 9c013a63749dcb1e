using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

/// <summary>Seconds of kernels on a GPU: the slower of its arithmetic and its memory, each at the efficiency that was measured for it.</summary>
/// <param name="LinkBytesPerSecond">To the other tensor-parallel ranks.</param>
/// <param name="Multiprocessors">That compute; the others move data between GPUs.</param>
public sealed record Roofline(GpuProfile Gpu, double LinkBytesPerSecond, int Multiprocessors, EfficiencyTable Efficiencies)
{
    private double Share => (double)Multiprocessors / Gpu.Multiprocessors;

    /// <param name="sequences">Of the micro-batch: weights are read once for all of them.</param>
    /// <param name="load">Rows of the rank's experts, beside a balanced rank's.</param>
    /// <param name="expert">Ranks that divide the experts.</param>
    public double Seconds(ImmutableArray<KernelWork> kernels, int sequences, double load, int expert)
    {
        var sum = 0.0;
        foreach (var kernel in kernels)
            sum += kernel.Routed ? Seconds(kernel, sequences * load, kernel.WeightBytes / expert) : Seconds(kernel, sequences, kernel.WeightBytes);
        return sum;
    }

    public double Seconds(KernelWork work) => Seconds(work, 1, work.WeightBytes);

    /// <param name="rows">As many times as was counted.</param>
    private double Seconds(in KernelWork work, double rows, double weightBytes)
    {
        var fraction = Efficiencies.Of(work.Class, work.N, work.K).Value;
        var peak = work.Class switch
        {
            WorkClass.Fp8Gemm or WorkClass.Fp8GroupedGemm or WorkClass.Fp8WeightGradient => Gpu.Fp8FlopsPerSecond,
            WorkClass.WideGemm or WorkClass.AttentionForward or WorkClass.AttentionBackward => Gpu.Bf16FlopsPerSecond,
            _ => 0,
        };
        if (work.Class == WorkClass.NodeExchange) return rows * work.Bytes / (LinkBytesPerSecond * fraction);
        if (peak == 0) return rows * work.Bytes / (Gpu.MemoryBytesPerSecond * fraction);
        var stream = Gpu.MemoryBytesPerSecond * Efficiencies.Of(WorkClass.Stream).Value;
        return Math.Max(rows * work.Flops / (peak * Share * fraction), (rows * work.Bytes + weightBytes) / stream);
    }
}
