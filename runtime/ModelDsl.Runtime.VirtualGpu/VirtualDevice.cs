using System.Text;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>
/// A GPU in software: runs PTX text warp by warp, and checks what hardware does not. Work is done when it is queued, so a
/// fault is thrown by the launch that caused it; the device stays usable after one.
/// </summary>
/// <remarks>Results do not depend on <see cref="VirtualDeviceOptions.Workers"/>.</remarks>
public sealed class VirtualDevice : IDevice
{
    private readonly VirtualDeviceOptions _options;
    private readonly DeviceHeap _heap;
    private readonly Launcher _launcher;
    private readonly FindingLog? _findings;
    private bool _disposed;

    public VirtualDevice(VirtualDeviceOptions? options = null)
    {
        _options = options ?? new VirtualDeviceOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(_options.Fp8SumBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_options.Fp8SumBits, 23);
        _heap = new DeviceHeap(_options.MemoryBytes);
        _launcher = new Launcher(_heap, _options.Workers);
        if (_options.Checks == VirtualGpuChecks.None) return;
        _findings = new FindingLog();
        _heap.Shadow = new HeapShadow(_heap);
    }

    public string Name => $"virtual GPU ({_options.Workers} {(_options.Workers == 1 ? "core" : "cores")})";

    public string Target => "sm_90a";

    public int MultiprocessorCount => _options.Workers;

    /// <summary>What each kernel has cost so far.</summary>
    public VirtualGpuProfile Profile { get; } = new();

    /// <summary>What the checks of <see cref="VirtualDeviceOptions.Checks"/> have found so far, each cause once, in the order of being found.</summary>
    public IReadOnlyList<Finding> Findings => _findings?.ToArray() ?? [];

    /// <summary>Taken by everything that touches memory or runs a kernel: streams of one device run one call at a time.</summary>
    internal object Gate { get; } = new();

    internal DeviceHeap Heap => _heap;

    internal VirtualGpuChecks Checks => _options.Checks;

    public DeviceMemory Allocate(long bytes)
    {
        lock (Gate) return new DeviceMemory(this, _heap.Allocate(bytes), bytes);
    }

    public void Free(DeviceMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        lock (Gate)
            if (!_disposed) _heap.Free(memory.Address);
    }

    public IModule LoadModule(ReadOnlySpan<byte> ptx)
    {
        string text = Encoding.UTF8.GetString(ptx).TrimEnd('\0');
        return new VirtualModule(this, text);
    }

    public KernelArgument Encode(TensorMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return KernelArgument.OfBytes(TensorMapImage.Encode(map));
    }

    public IStream CreateStream() => new VirtualStream(this);

    public IEvent CreateEvent() => new VirtualEvent();

    /// <summary>Returns at once: work is done when it is queued.</summary>
    public void Synchronize()
    {
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed) return;
            _disposed = true;
            _launcher.Dispose();
            _heap.Dispose();
        }
    }

    /// <param name="asked">Blocks of a cluster; null for what the kernel's text says.</param>
    internal void Launch(VirtualKernel kernel, Dim3 grid, Dim3 block, Dim3? asked, int sharedBytes, ReadOnlySpan<KernelArgument> arguments)
    {
        DecodedKernel decoded = kernel.Decoded;
        Dim3 cluster = LaunchCheck.Cluster(decoded.Function, grid, asked);
        byte[] parameters = LaunchCheck.Check(decoded, grid, block, sharedBytes, arguments, _options);
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (decoded.IsDisposed) throw new DeviceException($"kernel '{kernel.Name}' cannot run: its module has been disposed");
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            var launch = new LaunchInfo(decoded, grid, block, sharedBytes, parameters, _options.BranchBudget / (_findings == null ? 1 : 16))
            {
                Cluster = cluster,
                Fp8SumBits = _options.Fp8SumBits,
                Findings = _findings,
                Mix = _options.CountsClasses ? new ulong[InstructionMix.Classes] : null,
            };
            ulong executed = _launcher.Run(launch, kernel.Cost.IsShort(grid.Count));
            kernel.Cost.Add(grid.Count, executed, launch.Mix, System.Diagnostics.Stopwatch.GetTimestamp() - start);
        }
    }
}
