using ModelDsl.Runtime.Cuda;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Testing;

/// <summary>What tests of kernels run on: the virtual GPU, or a real one where DSM_TEST_DEVICE is <c>cuda</c>.</summary>
public static class TestDevice
{
    // One for all tests: to start a GPU takes longer than most of them.
    private static readonly Lazy<IDevice>? Hardware = Environment.GetEnvironmentVariable("DSM_TEST_DEVICE") == "cuda" ? new(() => new Kept(CudaDevice.Open())) : null;

    /// <summary>Whether tests run on a real GPU.</summary>
    public static bool IsHardware => Hardware is not null;

    /// <summary>A device for one test, which disposes of it.</summary>
    /// <param name="options">Of the virtual GPU. Where it is to check, it is the one that is taken.</param>
    public static IDevice Open(VirtualDeviceOptions options) => options.Checks == VirtualGpuChecks.None && Hardware is { Value: var gpu } ? gpu : new VirtualDevice(options);

    /// <summary>A device that stays open.</summary>
    private sealed class Kept(IDevice device) : IDevice
    {
        public string Name => device.Name;

        public string Target => device.Target;

        public int MultiprocessorCount => device.MultiprocessorCount;

        public DeviceMemory Allocate(long bytes) => device.Allocate(bytes);

        public void Free(DeviceMemory memory) => device.Free(memory);

        public IModule LoadModule(ReadOnlySpan<byte> ptx) => device.LoadModule(ptx);

        public KernelArgument Encode(TensorMap map) => device.Encode(map);

        public IStream CreateStream() => device.CreateStream();

        public IEvent CreateEvent() => device.CreateEvent();

        public void Synchronize() => device.Synchronize();

        public void Dispose()
        {
        }
    }
}
