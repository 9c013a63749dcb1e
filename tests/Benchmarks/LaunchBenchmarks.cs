using BenchmarkDotNet.Attributes;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Benchmarks;

/// <summary>What the virtual GPU takes to launch a kernel that does nothing.</summary>
public class LaunchBenchmarks
{
    private readonly VirtualDevice _device = new();
    private IStream _stream = null!;
    private IKernel _first = null!, _second = null!;

    [GlobalSetup]
    public void Setup()
    {
        _stream = _device.CreateStream();
        var module = _device.LoadModule("""
            .version 8.4
            .target sm_90a
            .address_size 64
            .visible .entry first() { ret; }
            .visible .entry second() { ret; }
            """u8);
        (_first, _second) = (module.GetKernel("first"), module.GetKernel("second"));
    }

    [GlobalCleanup]
    public void Cleanup() => _device.Dispose();

    /// <summary>As in a model: each launch is of another kernel than the one before, four warps in one block.</summary>
    [Benchmark(OperationsPerInvoke = 2)]
    public void Alternating()
    {
        _stream.Launch(_first, 1, 128, 0);
        _stream.Launch(_second, 1, 128, 0);
    }
}
