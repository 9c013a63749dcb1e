namespace ModelDsl.Runtime.Devices;

/// <summary>One kernel argument: up to eight bytes, little-endian in <see cref="Bits"/>.</summary>
/// <param name="Bits">The value.</param>
/// <param name="Size">How many of the eight bytes the parameter takes: 4 or 8.</param>
public readonly record struct KernelArgument(ulong Bits, int Size)
{
    public static implicit operator KernelArgument(ulong pointer) => new(pointer, 8);

    public static implicit operator KernelArgument(int value) => new((uint)value, 4);

    public static implicit operator KernelArgument(uint value) => new(value, 4);

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), 4);

    public static implicit operator KernelArgument(DeviceMemory memory) => new(memory.Address, 8);
}
