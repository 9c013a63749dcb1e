using ModelDsl.Runtime.Cuda;
using ModelDsl.Runtime.Devices;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Cuda;

public class CudaDeviceTests
{
    [Fact]
    public void A_machine_without_a_driver_gets_a_reason_that_people_can_read()
    {
        if (CudaDriver.IsAvailable(out var reason))
        {
            Assert.Equal("", reason);
            Assert.True(CudaDriver.DeviceCount > 0);
            return;
        }
        Assert.Matches("NVIDIA driver", reason);
        Assert.Equal(0, CudaDriver.DeviceCount);
        Assert.Equal(reason, Assert.Throws<DeviceException>(() => CudaDevice.Open()).Message);
    }

    [GpuFact]
    public void A_kernel_runs_and_its_result_comes_back()
    {
        using var device = CudaDevice.Open();
        GpuChecks.RunAKernel(device);
    }

    [GpuFact]
    public void What_goes_wrong_is_said_with_what_the_driver_says()
    {
        using var device = CudaDevice.Open();
        GpuChecks.DoWhatGoesWrong(device);
        Assert.Contains("no CUDA device 99", Assert.Throws<DeviceException>(() => CudaDevice.Open(99)).Message);
    }
}
