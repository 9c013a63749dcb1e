using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.ManagedCuda;

namespace ModelDsl.Cli.Hosting;

/// <summary>What stands behind <c>--device cuda</c> in a build with <c>-p:UseManagedCuda=true</c>: ManagedCuda.</summary>
internal static class CudaBinding
{
    public static bool IsAvailable(out string reason) => ManagedCudaDriver.IsAvailable(out reason);

    public static IDevice Open(int ordinal) => ManagedCudaDevice.Open(ordinal);
}
