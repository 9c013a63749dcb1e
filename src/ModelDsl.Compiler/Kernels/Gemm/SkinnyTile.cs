namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// How a block divides a product with few rows: every warp takes sixteen rows of W, and warps share a long depth in units of 256 bytes.
/// </summary>
/// <param name="Across">Groups of sixteen columns of C per block.</param>
/// <param name="Deep">Warps that share the depth of one group; their sums are added in order.</param>
/// <param name="Rows">Rows of C per block.</param>
internal sealed record SkinnyTile(int Across, int Deep, int Rows)
{
    public const int WarpColumns = 16;
    public const int UnitBytes = 256;

    private const int UnitsPerWarp = 4;
    private const int MostDeep = 8;
    private const int FewestWarps = 4;

    public int Threads => Across * Deep * 32;

    public int Columns => Across * WarpColumns;

    /// <summary>Dynamic shared memory for so many sums per lane.</summary>
    public int SharedBytes(int sums) => Deep == 1 ? 0 : Threads * sums * 4;

    /// <summary>At least <see cref="UnitsPerWarp"/> units for each warp, so that adding up stays small beside multiplying.</summary>
    public static SkinnyTile For(int depthBytes, int rows)
    {
        var deep = 1;
        while (deep < MostDeep && deep * 2 * UnitsPerWarp * UnitBytes <= depthBytes) deep *= 2;
        return new SkinnyTile(Math.Max(1, FewestWarps / deep), deep, rows);
    }
}
