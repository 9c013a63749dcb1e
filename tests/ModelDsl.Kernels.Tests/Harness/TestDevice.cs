using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>What kernels of these tests run on.</summary>
public static class TestDevice
{
    public static IDevice Create() => new VirtualDevice(new VirtualDeviceOptions { Workers = 1 });
}
