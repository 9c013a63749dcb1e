namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// How a block divides its tile of C among warps, and how far it loads ahead. A step of the main loop covers 128 bytes of the depth:
/// 64 BF16 or 128 FP8 values, one block of scales.
/// </summary>
/// <param name="Rows">Rows of C per block.</param>
/// <param name="Columns">Columns of C per block; divides 128, so that one weight scale serves the block.</param>
/// <param name="Stages">Steps in shared memory at a time: one being used, the others on their way.</param>
internal sealed record TensorTile(int Rows, int Columns, int WarpsDown, int WarpsAcross, int Stages)
{
    public const int StepBytes = 128;

    /// <summary>For wide layers: 64 x 32 per warp.</summary>
    public static TensorTile Wide { get; } = new(128, 128, 2, 4, 3);

    /// <summary>For narrow layers, where a big tile would be mostly padding: 32 x 32 per warp.</summary>
    public static TensorTile Narrow { get; } = new(64, 64, 2, 2, 3);

    /// <summary>For experts: few rows each, wide weights; 32 x 64 per warp.</summary>
    public static TensorTile Expert { get; } = new(64, 128, 2, 2, 3);

    /// <summary>For wide layers in FP8: 32 x 32 per warp, because widened fragments and scaled sums take registers too.</summary>
    public static TensorTile Scaled { get; } = new(64, 128, 2, 4, 3);

    /// <summary>For narrow layers in FP8: 16 x 32 per warp, so that ragged edges fit in registers as well.</summary>
    public static TensorTile ScaledNarrow { get; } = new(64, 64, 4, 2, 3);

    /// <summary>For heads in decoding: a handful of rows; 16 x 16 per warp.</summary>
    public static TensorTile Head { get; } = new(16, 64, 1, 4, 3);

    /// <summary>The tile for so many outputs.</summary>
    /// <param name="scaled">FP8 with scales.</param>
    /// <param name="experts">Rows come in small groups.</param>
    public static TensorTile For(int n, bool scaled, bool experts) => (n < 1024, scaled) switch
    {
        (true, true) => ScaledNarrow,
        (true, false) => Narrow,
        (false, true) => Scaled,
        (false, false) => experts ? Expert : Wide,
    };

    public int WarpRows => Rows / WarpsDown;

    public int WarpColumns => Columns / WarpsAcross;

    public int Threads => WarpsDown * WarpsAcross * 32;

    /// <summary>Bytes of one stage: A, then W, then the scales of A's rows and of W.</summary>
    public int StageBytes(bool scaled) => (Rows + Columns) * StepBytes + (scaled ? (Rows * 4 + 4 + 127) / 128 * 128 : 0);

    public int SharedBytes(bool scaled) => Stages * StageBytes(scaled);
}
