using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>
/// A copy as good as a kernel can be: four times 16 bytes under way in each thread, all of them read before any is written. How long it takes for as many bytes is the measure of a kernel that only
/// memory bounds: a large copy's bandwidth leaves out what it takes to start and to end.
/// </summary>
internal sealed record CopyKernel : Kernel
{
    private const int Threads = 256, Vectors = 4, VectorWords = 4;

    public const int BytesOfBlock = Threads * Vectors * VectorWords * sizeof(uint);

    public override string Name => "copy";

    public override ImmutableArray<KernelParameter> Parameters => [KernelParameter.In("from", DType.F32), KernelParameter.Out("to", DType.F32)];

    public override LaunchGeometry Geometry => new(Dim.Rows, Threads);

    protected override void Write(KernelBuilder k)
    {
        var (from, to) = (k.GlobalPtrParam<F32>("from"), k.GlobalPtrParam<F32>("to"));
        var first = k.BlockIdX * (BytesOfBlock / sizeof(float)) + k.ThreadIdX * VectorWords;
        var words = Enumerable.Range(0, Vectors).Select(i => At(from, i).LoadVector(VectorWords)).ToArray();
        for (var i = 0; i < Vectors; i++) At(to, i).StoreVector(words[i]);

        GlobalPtr<F32> At(GlobalPtr<F32> origin, int vector) => (origin + first).AddBytes((long)vector * Threads * VectorWords * sizeof(float));
    }
}
