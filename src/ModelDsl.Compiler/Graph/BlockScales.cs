namespace ModelDsl.Compiler.Graph;

/// <summary>One F32 scale per block of this many rows and columns; a ragged edge has its own, smaller blocks.</summary>
public sealed record BlockScales(int Rows, int Columns)
{
    /// <summary>Per token, 128 channels.</summary>
    public static BlockScales Activation { get; } = new(1, 128);

    /// <summary>Blocks of a weight matrix.</summary>
    public static BlockScales Weight { get; } = new(128, 128);

    public override string ToString() => $"{Rows}x{Columns}";
}
