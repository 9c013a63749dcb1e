using System.Collections.Immutable;

namespace ModelDsl.Simulation.Costs;

/// <summary>
/// Published measurements of the kernels that the plan of a training run is made of. "Trace" is DeepSeek's training profile
/// (deepseek-ai/profile-data, train.json): four MoE layers forward beside four backward, 4096 tokens, on an H800, 124.3 ms of kernels on 112
/// of 132 multiprocessors. Where it gives a share of that time, the work is what <see cref="TrainingWork"/> counts for those layers.
/// </summary>
internal static class MeasuredEfficiencies
{
    private const double Fp8Peak = 1979e12 * 112 / 132;
    private const double Bf16Peak = 989e12 * 112 / 132;
    private const double Memory = 3.35e12;
    private const double Nic = 50e9;

    /// <summary>Seconds of compute of one layer, forward and backward.</summary>
    private const double Layer = 124.3e-3 / 4;

    /// <summary>Seconds of a layer's casts for weight gradients.</summary>
    private const double WeightCasts = 1.055e9 / (3.558e9 / (0.13 * Layer));

    /// <summary>Bytes of 4096 FP8 tokens with their scales that go to 3.5 other nodes: four of eight, one time in two its own.</summary>
    private const double Dispatched = 4096 * 3.5 * 7168 * (1 + 4 / 128.0);

    /// <summary>The same tokens back in BF16.</summary>
    private const double Combined = 4096 * 3.5 * 7168 * 2;

    public static ImmutableArray<EfficiencyRow> Rows { get; } =
    [
        Row(WorkClass.Fp8Gemm, 4.234e12 / (0.14 * Layer * Fp8Peak), "trace: 14 % for 4.234 TFLOP; alone on 132 multiprocessors DeepGEMM reaches 938 to 1484 TFLOPS by shape"),
        Row(WorkClass.Fp8GroupedGemm, 1007e12 / Fp8Peak, "trace: 1433 us each, 1007 TFLOPS"),
        Row(WorkClass.Fp8WeightGradient, 4.780e12 / ((7459e-6 - WeightCasts) * Fp8Peak), "trace: attn W 2389 us and mlp W 5070 us for 4.780 TFLOP, less the casts among them"),
        Row(WorkClass.WideGemm, 660e12 / 989e12, "FlashMLA's design notes, H800: 660 TFLOPS, 80 % of what the clock leaves; no BF16 product of the run is published"),
        Row(WorkClass.AttentionForward, 556e12 / Bf16Peak, "trace: 1237 us, 556 TFLOPS causal"),
        Row(WorkClass.AttentionBackward, 473e12 / Bf16Peak, "trace: 3779 us, 473 TFLOPS of five products"),
        Row(WorkClass.Cast, 3.558e9 / (0.13 * Layer * Memory), "trace: 13 % for 3.558 GB"),
        Row(WorkClass.Permute, 2.026e9 / (0.05 * Layer * Memory), "trace: 5 % for 2.026 GB"),
        Row(WorkClass.Norm, 0.940e9 / (0.03 * Layer * Memory), "trace: 3 % for 0.940 GB"),
        Row(WorkClass.Swiglu, 1.208e9 / (0.014 * Layer * Memory), "trace: 1.4 % for 1.208 GB"),
        Row(WorkClass.Rope, 0.405e9 / (0.012 * Layer * Memory), "trace: 1.2 % for 0.405 GB"),
        Row(WorkClass.Stream, 4070.0 / 4800, "TileOPs, STREAM triad on an H200: 4070 of 4800 GB/s"),
        Row(WorkClass.Dispatch, 51 * 3.5 / 4 * 1e9 / Nic, "DeepEP, H800, 64 ranks, 4096 tokens: 51 GB/s, the token's own node counted"),
        Row(WorkClass.DispatchBesideCompute, Dispatched / (4.35e-3 * Nic), "trace: 4.35 ms on 20 multiprocessors"),
        Row(WorkClass.Combine, 50 * 3.5 / 4 * 1e9 / Nic, "DeepEP, H800, 64 ranks, 4096 tokens: 50 GB/s, the token's own node counted"),
        Row(WorkClass.CombineBesideCompute, Combined / (6.18e-3 * Nic), "trace: 6.18 ms on 20 multiprocessors"),
        Row(WorkClass.NodeExchange, 153.0 / 160, "DeepEP, H800, 8 ranks of one node: 153 of 160 GB/s"),
        Row(WorkClass.ExchangeNotice, 1.0e-3, "trace: 1.0 ms a call at its start, before ranks drift apart"),
        Row(WorkClass.PointToPoint, 40.0 / 50, "ISCA 2025, section 4.3: 40 of 50 GB/s are effective"),
        Row(WorkClass.Collective, 40.0 / 50, "ISCA 2025, section 4.3: 40 of 50 GB/s are effective"),
    ];

    private static EfficiencyRow Row(WorkClass kind, double fraction, string source) => new(kind, 0, 0, fraction, source);
}
