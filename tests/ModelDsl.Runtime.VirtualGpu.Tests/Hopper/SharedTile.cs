namespace ModelDsl.Runtime.VirtualGpu.Tests.Hopper;

/// <summary>
/// A matrix operand as it lies in shared memory, from the pictures of the PTX ISA: rows of as many bytes as the swizzle has, whose 16-byte
/// pieces are exchanged by the row's number; without swizzle 8 by 16 byte core matrices. Written for the tests, apart from the virtual GPU.
/// </summary>
/// <param name="Swizzle">Bytes: 0, 32, 64 or 128.</param>
/// <param name="IsTransposed">The row's dimension (M or N) is the fast one; elements have 16 bits.</param>
internal sealed record SharedTile(int Rows, int RowBytes, int Swizzle, bool IsTransposed, int Start)
{
    /// <summary>Distance of the pieces that the descriptor's leading offset is for: swizzle atoms along the fast dimension, or core matrices along K.</summary>
    public int Leading => (Swizzle, IsTransposed) switch
    {
        (0, false) => 128,
        (0, true) => 128 * (Rows / 8),
        (_, true) => Swizzle * (RowBytes / 2),
        _ => 16,
    };

    /// <summary>From eight rows to the next eight; transposed from eight along K to the next.</summary>
    public int Stride => (Swizzle, IsTransposed) switch
    {
        (0, false) => 128 * (RowBytes / 16),
        (0, true) => 128,
        _ => 8 * Swizzle,
    };

    public int Bytes => Rows * RowBytes;

    /// <summary>Where in the tile the byte <paramref name="k"/> of a row lies. Swizzled tiles start at a multiple of their pattern.</summary>
    public int Offset(int row, int k)
    {
        if (!IsTransposed)
        {
            if (Swizzle == 0) return row / 8 * Stride + k / 16 * Leading + row % 8 * 16 + k % 16;
            // Rows wider than the swizzle are cut into tiles one behind the other.
            int tile = k / Swizzle, column = k % Swizzle;
            return tile * Rows * Swizzle + row * Swizzle + Exchange(column / 16, row) * 16 + column % 16;
        }
        int element = k / 2, part = k % 2;
        if (Swizzle == 0) return row / 8 * Stride + element / 8 * Leading + element % 8 * 16 + row % 8 * 2 + part;
        int across = row * 2 % Swizzle;
        return row * 2 / Swizzle * Leading + element * Swizzle + Exchange(across / 16, element) * 16 + across % 16 + part;
    }

    /// <param name="at">Bytes along K the instruction starts at.</param>
    public ulong Descriptor(int at)
    {
        int start = Start + (IsTransposed ? at / 2 / 8 * (Swizzle == 0 ? Leading : Stride) : Swizzle == 0 ? at / 16 * Leading : at / Swizzle * Rows * Swizzle + at % Swizzle);
        ulong kind = Swizzle switch { 128 => 1, 64 => 2, 32 => 3, _ => 0ul };
        return ((uint)start >> 4) | ((ulong)((uint)Leading >> 4) << 16) | ((ulong)((uint)Stride >> 4) << 32) | kind << 62;
    }

    private int Exchange(int piece, int row) => Swizzle switch
    {
        128 => piece ^ (row & 7),
        64 => piece ^ (row >> 1 & 3),
        _ => piece ^ (row >> 2 & 1),
    };
}
