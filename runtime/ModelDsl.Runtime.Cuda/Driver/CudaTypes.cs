using System.Runtime.InteropServices;

namespace ModelDsl.Runtime.Cuda.Driver;

/// <summary>CUresult; only what is told apart by name.</summary>
internal enum CudaResult
{
    Success = 0,
    OutOfMemory = 2,
    NoDevice = 100,
    NotFound = 500,
}

/// <summary>CUdevice_attribute.</summary>
internal enum CudaDeviceAttribute
{
    MultiprocessorCount = 16,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
}

/// <summary>CUfunction_attribute.</summary>
internal enum CudaFunctionAttribute
{
    MaxDynamicSharedSizeBytes = 8,
}

/// <summary>CUjit_option.</summary>
internal enum CudaJitOption
{
    InfoLogBuffer = 3,
    InfoLogBufferSizeBytes = 4,
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
}

/// <summary>CUstream_flags.</summary>
[Flags]
internal enum CudaStreamFlags : uint
{
    NonBlocking = 1,
}

/// <summary>CUlaunchConfig.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CudaLaunch
{
    public uint GridX, GridY, GridZ, BlockX, BlockY, BlockZ, SharedBytes;
    public nint Stream;
    public CudaClusterAttribute* Attributes;
    public uint AttributeCount;
}

/// <summary>CUlaunchAttribute with the size of clusters.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct CudaClusterAttribute
{
    public const int ClusterDimension = 4;

    [FieldOffset(0)]
    public int Id;

    [FieldOffset(8)]
    public uint X;

    [FieldOffset(12)]
    public uint Y;

    [FieldOffset(16)]
    public uint Z;
}
