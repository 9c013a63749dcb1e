namespace ModelDsl.Runtime.Devices;

/// <summary>A device refused or failed: out of memory, bad PTX, an illegal access inside a kernel.</summary>
public sealed class DeviceException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True where a kernel that ran did what it must not, and the message says where; false where a request was refused.</summary>
    public bool IsKernelFault { get; init; }
}
