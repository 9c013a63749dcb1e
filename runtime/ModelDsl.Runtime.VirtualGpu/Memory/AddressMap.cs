namespace ModelDsl.Runtime.VirtualGpu.Memory;

/// <summary>Where the state spaces lie in the generic address space.</summary>
internal static class AddressMap
{
    /// <summary>Functions have addresses so that they can be called through pointers; nothing can be read there.</summary>
    public const ulong CodeWindow = 0x0000_00FD_0000_0000;
    public const ulong ParameterWindow = 0x0000_00FC_0000_0000;
    public const ulong LocalWindow = 0x0000_00FE_0000_0000;
    public const ulong SharedWindow = 0x0000_00FF_0000_0000;
    public const ulong WindowBytes = 0x0000_0001_0000_0000;
    public const ulong GlobalStart = 0x0000_0100_0000_0000;

    /// <summary>Address space left free behind each allocation, so that running past an end never lands in the next.</summary>
    public const ulong Gap = 64 * 1024;

    private const int FunctionStep = 16;

    public static ulong OfFunction(int number) => CodeWindow + (ulong)(FunctionStep * number);

    /// <summary>Number of the function at an address; negative if none can be there.</summary>
    public static int FunctionAt(ulong address)
    {
        ulong offset = address - CodeWindow;
        return offset < WindowBytes && offset % FunctionStep == 0 ? (int)(offset / FunctionStep) : -1;
    }

    public static bool IsShared(ulong address) => address - SharedWindow < WindowBytes;

    public static bool IsParameter(ulong address) => address - ParameterWindow < WindowBytes;

    public static bool IsLocal(ulong address) => address - LocalWindow < WindowBytes;
}
