namespace ModelDsl.Runtime.Devices;

/// <summary>One kernel argument: up to eight bytes, little-endian in <see cref="Bits"/>, or a structure passed by value.</summary>
/// <param name="Bits">The value; nothing where there is a <see cref="Block"/>.</param>
/// <param name="Size">How many bytes the parameter takes.</param>
public readonly record struct KernelArgument(ulong Bits, int Size)
{
    /// <summary>The bytes of a structure, pinned; null for a value of up to eight bytes.</summary>
    public byte[]? Block { get; private init; }

    public static implicit operator KernelArgument(ulong pointer) => new(pointer, 8);

    public static implicit operator KernelArgument(int value) => new((uint)value, 4);

    public static implicit operator KernelArgument(uint value) => new(value, 4);

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), 4);

    public static implicit operator KernelArgument(DeviceMemory memory) => new(memory.Address, 8);

    /// <summary>A copy of a structure's bytes.</summary>
    public static KernelArgument OfBytes(ReadOnlySpan<byte> bytes)
    {
        var block = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(block);
        return new KernelArgument(0, bytes.Length) { Block = block };
    }
}
