using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// delta[h,t] = Σ out[t,h,:] · d_out[t,h,:], what a row's probabilities have to give up so that they still sum to one. A warp takes a row of a head.
/// Bytes: 4 · T · h · v read, 4 · T · h written.
/// </summary>
/// <param name="VDim">64 or 128.</param>
public sealed record MlaPrefillDelta(int Heads, int VDim) : Kernel
{
    private const int Warps = 8;

    public override string Name => $"mla_prefill_delta_h{Heads}_v{VDim}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm80;

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("out", DType.BF16), KernelParameter.In("d_out", DType.BF16), KernelParameter.Out("delta", DType.F32), KernelParameter.Int("tokens")];

    public override LaunchGeometry Geometry => new(Dim.CeilDiv(Dim.Tokens * Heads, Warps), Warps * 32);

    protected override void Write(KernelBuilder k)
    {
        var (output, gradient, delta) = (k.GlobalPtrParam<BF16>("out"), k.GlobalPtrParam<BF16>("d_out"), k.GlobalPtrParam<F32>("delta"));
        var tokens = k.S32Param("tokens");
        var row = k.BlockIdX * Warps + k.WarpId;
        k.ReturnIf(row >= tokens * Heads);
        BF16x2[] Of(Ptx.Memory.GlobalPtr<BF16> from) => from.Row(row, VDim).As<BF16x2>().LoadVector(VDim / 64, k.LaneId * (VDim / 64));
        F32 sum = 0f;
        foreach (var (x, y) in Of(output).Zip(Of(gradient), (x, y) => (k.ToF32(x), k.ToF32(y)))) sum = k.Fma(x.Second, y.Second, k.Fma(x.First, y.First, sum));
        var token = row / Heads;
        delta.Row(row - token * Heads, tokens).StoreIf(k.LaneId == 0, k.WarpReduceSum(sum), token);
    }
}
