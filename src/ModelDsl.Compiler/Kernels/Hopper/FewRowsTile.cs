using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What a block of <see cref="Fp8GemmFewRows"/> makes at a time.</summary>
/// <param name="Rows">Of A and C, 8 to 128, a multiple of 8: the N of the products.</param>
/// <param name="Outputs">64: one math warpgroup; 128: two.</param>
/// <param name="Chunk">Steps of 128 along K that always go to the same block; at least all of them: tiles are not cut.</param>
public sealed record FewRowsTile(int Rows, int Outputs, int Chunk)
{
    public const int Step = Fp8GemmTile.Step, MostRows = 128;

    private const int MostStages = 12;

    /// <summary>Rows that a tile has for so many: the next of 8, 16, 32, 64 and 128.</summary>
    public static int RowsFor(long rows) => rows <= 8 ? 8 : rows <= 16 ? 16 : rows <= 32 ? 32 : rows <= 64 ? 64 : MostRows;

    public int Warpgroups => Outputs / TileStore.WaveRows;

    /// <summary>With 40 for the copying warpgroup no more than a multiprocessor's 64 K registers.</summary>
    public int MathRegisters => Warpgroups == 1 ? 240 : 232;

    /// <summary>FP32 sums of a tile.</summary>
    public int Sums => Rows * Outputs;

    /// <summary>A scale for each row, one for the outputs, and what keeps stages apart by 16 bytes.</summary>
    public int ScalesOfStage => Rows + 4;

    public int Stages(DType output) => Math.Min(MostStages, (HopperGpu.SharedBytesOfBlock - CBytes(output)) / StageBytes);

    public int SharedBytes(DType output) => CBytes(output) + Stages(output) * StageBytes;

    private int StageBytes => (Rows + Outputs) * Step + ScalesOfStage * sizeof(float) + StagePipeline.SharedBytes(1);

    private int CBytes(DType output) => Rows * Outputs * output.Bytes();
}
