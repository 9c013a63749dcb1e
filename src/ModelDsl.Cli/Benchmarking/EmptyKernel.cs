using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Ptx;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>Nothing, on every multiprocessor: what any launch takes between two events.</summary>
internal sealed record EmptyKernel : Kernel
{
    public override string Name => "empty";

    public override ImmutableArray<KernelParameter> Parameters => [];

    public override LaunchGeometry Geometry => new(Dim.Rows, 128);

    protected override void Write(KernelBuilder k)
    {
    }
}
