using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>Reads memory, so that L2 holds that and nothing else.</summary>
internal sealed record SweepKernel : Kernel
{
    private const int Threads = 256, Vectors = 8, VectorWords = 4;

    public const int BytesOfBlock = Threads * Vectors * VectorWords * sizeof(uint);

    public override string Name => "sweep";

    /// <summary>Zeros: what is read is written, where it is something else, so that no assembler leaves the reading out.</summary>
    public override ImmutableArray<KernelParameter> Parameters => [KernelParameter.InOut("memory", DType.I32)];

    public override LaunchGeometry Geometry => new(Dim.Rows, Threads);

    protected override void Write(KernelBuilder k)
    {
        var at = k.GlobalPtrParam<S32>("memory") + (k.BlockIdX * (BytesOfBlock / sizeof(uint)) + k.ThreadIdX * VectorWords);
        var words = Enumerable.Range(0, Vectors).SelectMany(i => at.AddBytes((long)i * Threads * VectorWords * sizeof(uint)).LoadVector(VectorWords)).ToArray();
        var any = words.Aggregate((all, word) => all | word);
        at.StoreIf(any != 0, any);
    }
}
