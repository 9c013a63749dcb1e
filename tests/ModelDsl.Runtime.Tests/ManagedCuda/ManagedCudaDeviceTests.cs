using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.ManagedCuda;
using ModelDsl.Runtime.Tests.Cuda;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.ManagedCuda;

public class ManagedCudaDeviceTests
{
    [Fact]
    public void A_machine_without_a_driver_gets_a_reason_that_people_can_read()
    {
        if (ManagedCudaDriver.IsAvailable(out var reason))
        {
            Assert.Equal("", reason);
            Assert.True(ManagedCudaDriver.DeviceCount > 0);
            return;
        }
        Assert.Matches("NVIDIA driver", reason);
        Assert.Equal(0, ManagedCudaDriver.DeviceCount);
        Assert.Equal(reason, Assert.Throws<DeviceException>(() => ManagedCudaDevice.Open()).Message);
    }

    [GpuFact]
    public void A_kernel_runs_and_its_result_comes_back()
    {
        using var device = ManagedCudaDevice.Open();
        GpuChecks.RunAKernel(device);
    }

    [GpuFact]
    public void What_goes_wrong_is_said_with_what_the_driver_says()
    {
        using var device = ManagedCudaDevice.Open();
        GpuChecks.DoWhatGoesWrong(device);
        Assert.Contains("no CUDA device 99", Assert.Throws<DeviceException>(() => ManagedCudaDevice.Open(99)).Message);
    }
}
