using System.Text;
using BenchmarkDotNet.Attributes;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Benchmarks;

/// <summary>The same grid on one worker and on more: blocks do not depend on each other, so the time should fall as workers are added.</summary>
public class ScalingBenchmarks
{
    private const int Iterations = 2000, Repeats = 16, Blocks = 64, Warps = 4;

    private VirtualDevice _device = null!;
    private IStream _stream = null!;
    private IKernel _kernel = null!;

    [Params(1, 2)]
    public int Workers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _device = new VirtualDevice(new VirtualDeviceOptions { Workers = Workers });
        _stream = _device.CreateStream();
        var body = string.Concat(Enumerable.Range(0, Repeats).Select(i => $"fma.rn.f32 %f{2 + i}, %f1, %f1, %f{2 + i};\n"));
        _kernel = _device.LoadModule(Encoding.UTF8.GetBytes($$"""
            .version 8.4
            .target sm_90a
            .address_size 64
            .visible .entry k()
            {
            .reg .pred %p<2>; .reg .b32 %r<3>; .reg .f32 %f<20>;
            mov.f32 %f1, 0f3F800000; mov.u32 %r1, 0;
            L: {{body}}
            add.u32 %r1, %r1, 1; setp.lt.u32 %p1, %r1, {{Iterations}}; @%p1 bra L; ret;
            }
            """)).GetKernel("k");
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    [Benchmark(OperationsPerInvoke = Iterations * (Repeats + 3) * Blocks * Warps)]
    public void Run() => _stream.Launch(_kernel, Blocks, 32 * Warps, 0);
}
