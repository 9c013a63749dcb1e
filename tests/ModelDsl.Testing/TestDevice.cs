using ModelDsl.Runtime.Cuda;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Testing;

/// <summary>What tests of kernels run on: the virtual GPU, or a real one where DSM_TEST_DEVICE is <c>cuda</c>.</summary>
public static class TestDevice
{
    // Kept open until the end: what all devices of a process share is started once, which takes longer than most tests.
    private static readonly CudaDevice? First = Environment.GetEnvironmentVariable("DSM_TEST_DEVICE") == "cuda" ? CudaDevice.Open() : null;

    /// <summary>Whether tests run on a real GPU.</summary>
    public static bool IsHardware => First is not null;

    /// <summary>What <c>--device</c> of a run is to be.</summary>
    public static string Name => IsHardware ? "cuda" : "virtual";

    /// <summary>A device for one test, which disposes of it.</summary>
    /// <param name="options">Of the virtual GPU. Where it is to check, it is the one that is taken.</param>
    public static IDevice Open(VirtualDeviceOptions options) => IsHardware && options.Checks == VirtualGpuChecks.None ? CudaDevice.Open() : new VirtualDevice(options);
}
