using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Memory;

/// <summary>A tensor map as kernels of the virtual GPU find it in memory. What is in the hardware's own is not known.</summary>
[StructLayout(LayoutKind.Sequential, Size = TensorMap.Bytes)]
internal unsafe struct TensorMapImage
{
    private const ulong Mark = 0x70614D726F736E54;

    public ulong Magic;
    public ulong Address;

    /// <summary>Less one.</summary>
    public fixed uint LastIndices[TensorMap.MostDimensions];
    public fixed ulong Strides[TensorMap.MostDimensions];
    public fixed ushort Box[TensorMap.MostDimensions];
    public fixed byte Steps[TensorMap.MostDimensions];
    public byte Rank;
    private byte _element;
    public byte Swizzle;
    public byte FillsWithNaN;

    public readonly bool IsValid => Magic == Mark;

    public readonly TensorMapElement Element => (TensorMapElement)_element;

    public readonly int ElementBytes => TensorMap.Size(Element);

    /// <summary>Of the address bits from the seventh on those that are added to the bits from the fourth on.</summary>
    public readonly uint PatternMask => (1u << Swizzle) - 1;

    /// <summary>Elements of a tile along a dimension, in shared memory.</summary>
    public readonly int Count(int dimension) => (Box[dimension] + Steps[dimension] - 1) / Steps[dimension];

    /// <summary>Bytes of a tile.</summary>
    public readonly int TileBytes
    {
        get
        {
            int bytes = ElementBytes;
            for (int i = 0; i < Rank; i++) bytes *= Count(i);
            return bytes;
        }
    }

    public static byte[] Encode(TensorMap map)
    {
        map.Validate();
        var image = new TensorMapImage
        {
            Magic = Mark, Address = map.Address, Rank = (byte)map.Sizes.Count, _element = (byte)map.Element,
            Swizzle = (byte)map.Swizzle, FillsWithNaN = (byte)(map.FillsWithNaN ? 1 : 0),
        };
        for (int i = 0; i < image.Rank; i++)
        {
            image.LastIndices[i] = (uint)(map.Sizes[i] - 1);
            image.Strides[i] = i == 0 ? (ulong)image.ElementBytes : (ulong)map.Strides[i - 1];
            image.Box[i] = (ushort)map.Box[i];
            image.Steps[i] = (byte)(map.Steps.Count == 0 ? 1 : map.Steps[i]);
        }
        return MemoryMarshal.AsBytes(new ReadOnlySpan<TensorMapImage>(in image)).ToArray();
    }
}
