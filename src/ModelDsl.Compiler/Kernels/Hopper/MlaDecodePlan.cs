using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Where each request begins on the line that <see cref="MlaDecode"/> cuts into parts: running sums of what requests take. One warp; 4 bytes in and out for each.
/// </summary>
public sealed record MlaDecodePlan : Kernel
{
    private const int Lanes = 32;

    public override string Name => $"mla_decode_plan_p{DecodePlan.Page}";

    public override ImmutableArray<KernelParameter> Parameters => [KernelParameter.In("lengths", DType.I32), KernelParameter.Out("starts", DType.I32), KernelParameter.Int("requests")];

    public override LaunchGeometry Geometry => new(1, Lanes);

    protected override void Write(KernelBuilder k)
    {
        var (lengths, starts, requests) = (k.GlobalPtrParam<S32>("lengths"), k.GlobalPtrParam<S32>("starts"), k.S32Param("requests"));
        starts.StoreIf(k.LaneId == 0, 0);
        var before = k.Var<S32>(0);
        k.For(0, requests, Lanes, first =>
        {
            var at = first + k.LaneId;
            var units = k.Select(at < requests, DecodePlan.Units(k, lengths.LoadOr(at < requests, 0, at)), 0);
            var end = before.Value + WarpScan.Inclusive(k, units);
            starts.StoreIf(at < requests, end, at + 1);
            before.Value = k.Shuffle(end, Lanes - 1);
        });
    }
}
