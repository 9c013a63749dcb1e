using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Memory;

/// <summary>
/// A matrix in shared memory whose 16-byte chunks are permuted within each row by an exclusive or with the row number, so that eight
/// threads reading one column of chunks (<c>ldmatrix</c>) hit eight different groups of banks.
/// </summary>
/// <param name="Start">The first element.</param>
/// <param name="RowBytes">Bytes per row: a power of two, 32 or more.</param>
public sealed record SwizzledTile<T>(SharedPtr<T> Start, int RowBytes) where T : Value
{
    private int Chunks => RowBytes / 16;

    /// <summary>Rows that share a 128-byte line count as one, so that short rows are spread too.</summary>
    private int RowsPerLine => Math.Max(1, 128 / RowBytes);

    /// <summary>The 16-byte chunk number <paramref name="chunk"/> of a row.</summary>
    public SharedPtr<T> Chunk(S32 row, S32 chunk)
    {
        var mask = Math.Min(8, Chunks) - 1;
        var twisted = chunk ^ ((row / RowsPerLine) & mask);
        return Start.AddBytes(row * RowBytes + twisted * 16);
    }

    /// <summary>One element.</summary>
    public SharedPtr<T> At(S32 row, S32 column)
    {
        var perChunk = 16 / Element<T>.Value.Bytes;
        return Chunk(row, column / perChunk) + column % perChunk;
    }
}
