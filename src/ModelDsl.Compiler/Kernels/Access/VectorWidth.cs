using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>How many elements one load or store may take at once.</summary>
internal static class VectorWidth
{
    private const int WidestBytes = 16;

    /// <summary>
    /// The largest power of two of elements that fits into 16 bytes and divides every given distance (row strides, offsets,
    /// widths), so that no vector crosses the end of a row and every vector is aligned wherever its row starts.
    /// </summary>
    public static int Of(DType type, params int[] distances)
    {
        var elements = WidestBytes / type.Bytes();
        while (distances.Any(distance => distance % elements != 0)) elements /= 2;
        return elements;
    }
}
