namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What a block of <see cref="Fp8GemmFewRows"/> makes.</summary>
/// <param name="Rows">Of A and C, 8 to 128, a multiple of 8: the N of the products.</param>
/// <param name="Outputs">64, or 128 with 64 rows at most: more sums than a thread has registers for otherwise.</param>
/// <param name="Split">Blocks that share a tile's depth, 1 to 8.</param>
public sealed record FewRowsTile(int Rows, int Outputs, int Split)
{
    public const int Step = Fp8GemmTile.Step, MostRows = 128, MathThreads = 128;

    /// <summary>A warpgroup that multiplies and a warp that copies.</summary>
    public const int Threads = MathThreads + 32;

    /// <summary>Blocks on a multiprocessor: one reads while the other begins or ends.</summary>
    public const int Residents = 2;

    private const int MostStages = 12;

    /// <summary>Rows that a tile has for so many: the next of 8, 16, 32, 64 and 128.</summary>
    public static int RowsFor(long rows) => rows <= 8 ? 8 : rows <= 16 ? 16 : rows <= 32 ? 32 : rows <= 64 ? 64 : MostRows;

    /// <summary>Of 64 outputs, made one after the other.</summary>
    public int Waves => Outputs / TileStore.WaveRows;

    /// <summary>From a row of a tile's sums to the next one: neighbouring rows' sums lie in other banks.</summary>
    public int SumsOfRow => Outputs + 4;

    public int Stages => Math.Min(MostStages, HopperGpu.SharedBytesOfEach(Residents) / StageBytes);

    public int SharedBytes => Stages * StageBytes;

    private int StageBytes => (Rows + Outputs) * Step + Rows * sizeof(float) + StagePipeline.SharedBytes(1);
}
