using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// out[s,:] = Σ_h x[s,h,:] in FP32, heads in order: the gradient of what all heads share. A lane takes two columns. Bytes: 2 · S · (h + 1) · width.
/// </summary>
/// <param name="Width">Even.</param>
public sealed record HeadSum(int Heads, int Width) : Kernel
{
    private const int Threads = 128;

    public override string Name => $"head_sum_h{Heads}_w{Width}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm80;

    public override ImmutableArray<KernelParameter> Parameters => [KernelParameter.In("x", DType.BF16), KernelParameter.Out("out", DType.BF16), KernelParameter.Int("rows")];

    public override LaunchGeometry Geometry => new(Dim.CeilDiv(Dim.Rows * (Width / 2), Threads), Threads);

    protected override void Write(KernelBuilder k)
    {
        var (x, output, rows) = (k.GlobalPtrParam<BF16>("x"), k.GlobalPtrParam<BF16>("out"), k.S32Param("rows"));
        var pair = k.BlockIdX * Threads + k.ThreadIdX;
        k.ReturnIf(pair >= rows * (Width / 2));
        var row = pair / (Width / 2);
        var from = (x.Row(row, Heads * Width) + (pair - row * (Width / 2)) * 2).As<BF16x2>();
        var (first, second) = (k.Var<F32>(0f), k.Var<F32>(0f));
        k.For(0, Heads, head =>
        {
            var (a, b) = k.ToF32(from.Load(head * (Width / 2)));
            (first.Value, second.Value) = (first.Value + a, second.Value + b);
        });
        output.As<BF16x2>().Store(k.ToBF16x2(first, second), pair);
    }
}
