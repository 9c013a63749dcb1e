using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using ManagedCuda;
using ManagedCuda.BasicTypes;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.ManagedCuda;

/// <summary>The NVIDIA driver of this machine as ManagedCuda finds it, if there is one.</summary>
public static class ManagedCudaDriver
{
    private static readonly Lazy<string?> Trouble = new(Start);

    /// <summary>Devices that <see cref="ManagedCudaDevice.Open"/> can open; 0 without a driver.</summary>
    public static int DeviceCount
    {
        get
        {
            var count = 0;
            return IsAvailable(out _) && DriverAPINativeMethods.DeviceManagement.cuDeviceGetCount(ref count) == CUResult.Success ? count : 0;
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
    internal static void Check(CUResult result, string what)
    {
        if (result != CUResult.Success) throw new DeviceException($"{what} failed: {Describe(result)}.");
    }

    /// <summary><c>CUDA_ERROR_INVALID_VALUE, invalid argument</c></summary>
    internal static string Describe(CUResult result)
    {
        nint name = 0, text = 0;
        if (DriverAPINativeMethods.ErrorHandling.cuGetErrorName(result, ref name) != CUResult.Success
            || DriverAPINativeMethods.ErrorHandling.cuGetErrorString(result, ref text) != CUResult.Success)
            return $"CUDA error {(int)result}";
        return $"{Marshal.PtrToStringUTF8(name)}, {Marshal.PtrToStringUTF8(text)}";
    }

    private static string? Start()
    {
        var assembly = typeof(DriverAPINativeMethods).Assembly;
        if (AssemblyLoadContext.GetLoadContext(assembly) is { } context) context.ResolvingUnmanagedDll += Resolve;
        CUResult result;
        try
        {
            result = DriverAPINativeMethods.cuInit(CUInitializationFlags.None);
        }
        catch (DllNotFoundException)
        {
            return $"There is no NVIDIA driver on this machine: {FileName} cannot be loaded.";
        }
        if (result != CUResult.Success) return $"The NVIDIA driver does not start: {Describe(result)}.";
        var count = 0;
        result = DriverAPINativeMethods.DeviceManagement.cuDeviceGetCount(ref count);
        if (result != CUResult.Success) return $"The NVIDIA driver does not count its devices: {Describe(result)}.";
        return count == 0 ? "The NVIDIA driver has no device." : null;
    }

    private static string FileName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    // ManagedCuda looks for libcuda.so, which comes with the toolkit; a driver alone brings libcuda.so.1.
    private static nint Resolve(Assembly assembly, string name) =>
        name == "nvcuda" && assembly == typeof(DriverAPINativeMethods).Assembly && NativeLibrary.TryLoad(FileName, out var handle) ? handle : 0;
}
