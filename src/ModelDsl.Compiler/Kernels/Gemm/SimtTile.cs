namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>How a block divides its tile of C among threads that multiply in FP32, each a small rectangle with strides.</summary>
/// <param name="Rows">Rows of C per block.</param>
/// <param name="Columns">Columns of C per block.</param>
internal sealed record SimtTile(int Rows, int Columns, int ThreadRows, int ThreadColumns)
{
    public const int Stages = 3;

    /// <summary>Depth of a step, in elements.</summary>
    public const int Step = 16;

    /// <summary>Four more than the data: rows of W then start in different banks, eight by eight.</summary>
    public const int Pitch = Step + 4;

    public static SimtTile Dense { get; } = new(64, 64, 8, 4);

    /// <summary>For heads in decoding: a handful of rows.</summary>
    public static SimtTile Head { get; } = new(8, 64, 1, 4);

    public int ThreadsDown => Rows / ThreadRows;

    public int ThreadsAcross => Columns / ThreadColumns;

    public int Threads => ThreadsDown * ThreadsAcross;

    public int StageBytes => (Rows + Columns) * Pitch * 4;

    public int SharedBytes => Stages * StageBytes;
}
