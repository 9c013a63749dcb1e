using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What a block of <see cref="Fp8Gemm"/> makes at a time.</summary>
/// <param name="Rows">64: one math warpgroup; 128: two; 192: three; 256: two, each with two waves of 64 rows.</param>
/// <param name="Columns">64 or 128: no more than one scale of W is for.</param>
public sealed record Fp8GemmTile(int Rows, int Columns)
{
    /// <summary>Bytes, and values, of a step along K.</summary>
    public const int Step = 128;

    /// <summary>Of a block, less what barriers take.</summary>
    private const int MostStages = 8, MostTogether = 4;

    /// <summary>Few rows: more tiles, so that all multiprocessors have one.</summary>
    public static readonly Fp8GemmTile Few = new(64, 64);

    /// <summary>Many rows: the most FLOP for a byte.</summary>
    public static readonly Fp8GemmTile Many = new(256, 128);

    public static readonly Fp8GemmTile Middle = new(128, 128);

    /// <summary>Experts' few rows: each byte of their weights once, and of the rows no more often than has to be.</summary>
    public static readonly Fp8GemmTile FewRows = new(64, 128);

    /// <summary>Where it leaves fewer multiprocessors without a tile at the end.</summary>
    public static readonly Fp8GemmTile Three = new(192, 128);

    public int Warpgroups => Rows == 256 ? 2 : Rows / TileStore.WaveRows;

    public int Waves => Rows / TileStore.WaveRows / Warpgroups;

    /// <summary>Of a thread that copies; what is left of a multiprocessor's 64 K is for those that multiply.</summary>
    public int CopyRegisters => Warpgroups == 3 ? 32 : 40;

    public int MathRegisters => Warpgroups switch { 1 => 240, 2 => 232, _ => 160 };

    /// <summary>A scale for each row, up to three before the first, one for the columns, and what keeps stages apart by 16 bytes.</summary>
    public int ScalesOfStage => Rows + 8;

    /// <summary>As many as shared memory holds, but no more than a multiple of <see cref="MostTogether"/> if it holds that.</summary>
    public int Stages(DType output)
    {
        var room = Math.Min(MostStages, (HopperGpu.SharedBytesOfBlock - CBytes(output)) / StageBytes);
        return room < MostTogether ? room : room / MostTogether * MostTogether;
    }

    /// <summary>Steps that those who multiply write out one behind the other, with constants for addresses: as many as divide the stages and the steps of a tile.</summary>
    public int Together(DType output, int steps) => new[] { MostTogether, 2, 1 }.First(count => Stages(output) % count == 0 && steps % count == 0);

    public int SharedBytes(DType output) => CBytes(output) + Stages(output) * StageBytes;

    private int StageBytes => (Rows + Columns) * Step + ScalesOfStage * sizeof(float) + StagePipeline.SharedBytes(1);

    private int CBytes(DType output) => Rows * Columns * output.Bytes();
}
