using ModelDsl.Runtime.Cuda;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Cli.Hosting;

/// <summary>What stands behind <c>--device cuda</c>: the project's own binding of the driver.</summary>
internal static class CudaBinding
{
    public static bool IsAvailable(out string reason) => CudaDriver.IsAvailable(out reason);

    public static IDevice Open(int ordinal) => CudaDevice.Open(ordinal);
}
