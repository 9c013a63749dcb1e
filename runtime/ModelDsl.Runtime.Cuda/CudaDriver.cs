using System.Reflection;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.Cuda.Driver;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Cuda;

/// <summary>The NVIDIA driver of this machine, if there is one. Asking is free of consequences where there is none.</summary>
public static unsafe class CudaDriver
{
    private static readonly Lazy<string?> Trouble = new(Start);

    static CudaDriver() => NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, Resolve);

    /// <summary>Devices that <see cref="CudaDevice.Open"/> can open; 0 without a driver.</summary>
    public static int DeviceCount
    {
        get
        {
            var count = 0;
            return IsAvailable(out _) && CudaApi.DeviceGetCount(&count) == CudaResult.Success ? count : 0;
        }
    }

    /// <summary>Whether there is a driver with a device.</summary>
    /// <param name="reason">Why not, for people; empty where there is one.</param>
    public static bool IsAvailable(out string reason)
    {
        reason = Trouble.Value ?? "";
        return Trouble.Value is null;
    }

    /// <summary>Turns a failure into an exception that says what was tried and what the driver says.</summary>
    internal static void Check(CudaResult result, string what)
    {
        if (result != CudaResult.Success) throw new DeviceException($"{what} failed: {Describe(result)}.");
    }

    /// <summary><c>CUDA_ERROR_INVALID_VALUE, invalid argument</c></summary>
    internal static string Describe(CudaResult result)
    {
        byte* name = null, text = null;
        if (CudaApi.GetErrorName(result, &name) != CudaResult.Success || CudaApi.GetErrorString(result, &text) != CudaResult.Success)
            return $"CUDA error {(int)result}";
        return $"{Marshal.PtrToStringUTF8((nint)name)}, {Marshal.PtrToStringUTF8((nint)text)}";
    }

    private static string? Start()
    {
        var library = FileName;
        if (!NativeLibrary.TryLoad(library, out _)) return $"There is no NVIDIA driver on this machine: {library} cannot be loaded.";
        var result = CudaApi.Init(0);
        if (result != CudaResult.Success) return $"The NVIDIA driver does not start: {Describe(result)}.";
        var count = 0;
        result = CudaApi.DeviceGetCount(&count);
        if (result != CudaResult.Success) return $"The NVIDIA driver does not count its devices: {Describe(result)}.";
        return count == 0 ? "The NVIDIA driver has no device." : null;
    }

    private static string FileName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == CudaApi.Library && NativeLibrary.TryLoad(FileName, out var handle) ? handle : 0;
}
