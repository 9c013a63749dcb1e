using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What a block of <see cref="Bf16Gemm"/> makes at a time.</summary>
/// <param name="Rows">64: one math warpgroup; 128: two.</param>
/// <param name="Columns">64, 128 or 256: the N of the products.</param>
public sealed record Bf16GemmTile(int Rows, int Columns)
{
    /// <summary>Along the depth: 128 bytes.</summary>
    public const int Step = 64;

    private const int MostStages = 8, StepBytes = Step * 2;

    public static readonly Bf16GemmTile Few = new(64, 64);

    public static readonly Bf16GemmTile Middle = new(128, 128);

    /// <summary>The most FLOP for a byte; with BF16 out only, as a tile of FP32 leaves no room for three stages.</summary>
    public static readonly Bf16GemmTile Many = new(128, 256);

    public int Warpgroups => Rows / TileStore.WaveRows;

    /// <summary>With 40 for the copying warpgroup no more than a multiprocessor's 64 K registers.</summary>
    public int MathRegisters => Warpgroups == 1 ? 240 : 232;

    public int Stages(DType output) => Math.Min(MostStages, (HopperGpu.SharedBytesOfBlock - CBytes(output)) / StageBytes);

    public int SharedBytes(DType output) => CBytes(output) + Stages(output) * StageBytes;

    private int StageBytes => (Rows + Columns) * StepBytes + StagePipeline.SharedBytes(1);

    private int CBytes(DType output) => Rows * Columns * output.Bytes();
}
