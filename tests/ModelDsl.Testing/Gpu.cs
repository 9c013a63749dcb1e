using System.Runtime.InteropServices;

namespace ModelDsl.Testing;

/// <summary>Whether an NVIDIA driver with a working device is on this machine.</summary>
public static unsafe class Gpu
{
    /// <summary>True where the driver library loads and initialises.</summary>
    public static bool IsPresent { get; } = Probe();

    private static bool Probe()
    {
        var library = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";
        return NativeLibrary.TryLoad(library, out var driver)
            && NativeLibrary.TryGetExport(driver, "cuInit", out var init)
            && ((delegate* unmanaged<uint, int>)init)(0) == 0;
    }
}
