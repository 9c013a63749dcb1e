namespace ModelDsl.Runtime.Devices;

/// <summary>What a tensor map's elements are; the driver's numbers.</summary>
public enum TensorMapElement
{
    U8, U16, U32, S32, U64, S64, F16, F32, F64, BF16, F32Flushed, TF32, TF32Flushed,
}

/// <summary>In what pattern the 16-byte pieces of a tile lie in shared memory; the driver's numbers.</summary>
public enum TensorMapSwizzle
{
    None, Bytes32, Bytes64, Bytes128,
}

/// <summary>
/// A tensor in device memory and the tiles that kernels copy of it (<c>cp.async.bulk.tensor</c>). The fastest dimension comes first.
/// </summary>
/// <param name="Address">Of the first element; a multiple of 16 bytes.</param>
/// <param name="Sizes">Elements along each of one to five dimensions.</param>
/// <param name="Strides">Bytes from element to element along the second dimension and those after it; multiples of 16.</param>
/// <param name="Box">Elements of a tile along each dimension, at most 256.</param>
public sealed record TensorMap(ulong Address, TensorMapElement Element, IReadOnlyList<long> Sizes, IReadOnlyList<long> Strides, IReadOnlyList<int> Box)
{
    /// <summary>Bytes of an encoded map, which kernels take by value, aligned to 64.</summary>
    public const int Bytes = 128;

    public const int MostDimensions = 5;

    private const int Unit = 16, MostBox = 256, MostStep = 8;
    private const long MostElements = 1L << 32, MostStride = 1L << 40;

    public TensorMapSwizzle Swizzle { get; init; }

    /// <summary>A tile takes every so manieth element along each dimension; empty for all of them.</summary>
    public IReadOnlyList<int> Steps { get; init; } = [];

    /// <summary>What is outside of the tensor reads as NaN instead of zero.</summary>
    public bool FillsWithNaN { get; init; }

    /// <summary>Rows next to each other: a matrix of <paramref name="rows"/> by <paramref name="columns"/>, a tile of it <paramref name="boxRows"/> by <paramref name="boxColumns"/>.</summary>
    public static TensorMap Matrix(ulong address, TensorMapElement element, long rows, long columns, int boxRows, int boxColumns, TensorMapSwizzle swizzle = TensorMapSwizzle.None) =>
        new(address, element, [columns, rows], [columns * Size(element)], [boxColumns, boxRows]) { Swizzle = swizzle };

    /// <summary>So many of such matrices one behind the other, as a third dimension of which a tile has one.</summary>
    public TensorMap Grouped(int groups) => this with { Sizes = [.. Sizes, groups], Strides = [.. Strides, Strides[0] * Sizes[1]], Box = [.. Box, 1] };

    public static int Size(TensorMapElement element) => element switch
    {
        TensorMapElement.U8 => 1,
        TensorMapElement.U16 or TensorMapElement.F16 or TensorMapElement.BF16 => 2,
        TensorMapElement.U64 or TensorMapElement.S64 or TensorMapElement.F64 => 8,
        _ => 4,
    };

    /// <exception cref="DeviceException">Something the hardware cannot do; a driver says no more than that a value is invalid.</exception>
    public void Validate()
    {
        int rank = Sizes.Count, size = Size(Element);
        Require(rank is >= 1 and <= MostDimensions, $"it has {rank} dimensions; 1 to {MostDimensions} are possible");
        Require(Strides.Count == rank - 1 && Box.Count == rank && (Steps.Count == rank || Steps.Count == 0), $"{rank} dimensions take {rank - 1} strides and {rank} sizes of a box");
        Require(Address % Unit == 0, $"its address 0x{Address:x} is no multiple of {Unit}");
        for (int i = 0; i < rank; i++)
        {
            Require(Sizes[i] is >= 1 and <= MostElements, $"dimension {i} has {Sizes[i]} elements; 1 to {MostElements} are possible");
            Require(Box[i] is >= 1 and <= MostBox, $"the box has {Box[i]} elements along dimension {i}; 1 to {MostBox} are possible");
            if (i > 0) Require(Strides[i - 1] is >= 0 and < MostStride && Strides[i - 1] % Unit == 0, $"the stride of dimension {i} is {Strides[i - 1]} bytes; it has to be a multiple of {Unit}");
            if (Steps.Count > 0) Require(Steps[i] is >= 1 and <= MostStep, $"the step along dimension {i} is {Steps[i]}; 1 to {MostStep} are possible");
        }
        Require(Box[0] * size % Unit == 0, $"the box has {Box[0] * size} bytes along its fastest dimension, which is no multiple of {Unit}");
        int most = Swizzle switch { TensorMapSwizzle.None => int.MaxValue, TensorMapSwizzle.Bytes32 => 32, TensorMapSwizzle.Bytes64 => 64, _ => 128 };
        Require(Box[0] * size <= most, $"the box has {Box[0] * size} bytes along its fastest dimension, and the swizzle takes {most}");
        Require(!FillsWithNaN || Element is TensorMapElement.F16 or TensorMapElement.F32 or TensorMapElement.F64 or TensorMapElement.BF16 or >= TensorMapElement.F32Flushed, "integers cannot be filled with NaN");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new DeviceException($"the tensor map cannot be: {what}");
    }
}
