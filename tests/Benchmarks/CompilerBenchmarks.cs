using BenchmarkDotNet.Attributes;
using ModelDsl.Cli.Hosting;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;

namespace ModelDsl.Benchmarks;

/// <summary>The stages from <c>samples/deepseek-v3</c> to files, each alone, and what a device does with the kernels.</summary>
public class CompilerBenchmarks
{
    private SourceText _source = null!;
    private ModelSpec _model = null!;
    private ModelPlan _plan = null!;
    private KernelLibrary _kernels = null!;
    private VirtualDevice _device = null!;

    [GlobalSetup]
    public void Setup()
    {
        var path = Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm");
        _source = SourceText.FromBytes(path, File.ReadAllBytes(path));
        _model = FrontEnd().Models[0];
        _plan = Compile();
        _kernels = Emit();
        _device = new VirtualDevice();
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    /// <summary>Text to bound declarations.</summary>
    [Benchmark]
    public BoundProgram FrontEnd() => Compiler.Binding.FrontEnd.Bind(_source);

    /// <summary>Lowering, passes, schedule.</summary>
    [Benchmark]
    public ModelPlan Compile() =>
        ModelCompiler.Compile(_model, BuiltInPrecision.ByName("fp8")!, new CompileOptions(PtxTarget.Sm90a, new PlanLimits(512, 1, 4096), false)).Plan!;

    /// <summary>PTX text of all kernels, on all cores.</summary>
    [Benchmark]
    public KernelLibrary Emit() => ModelHost.EmitKernels(_plan);

    /// <summary>The C# class.</summary>
    [Benchmark]
    public string HostCode() => HostCodeGenerator.Generate(_plan);

    /// <summary>What the virtual GPU does to run these kernels: parse and decode them.</summary>
    [Benchmark]
    public void LoadPtx() => _kernels.Load(_device, [.. _plan.Kernels.Select(kernel => kernel.Name)]).Dispose();
}
