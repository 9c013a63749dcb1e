namespace ModelDsl.Runtime.Checkpoints;

/// <summary>What a weight is on the device, whatever the checkpoint stores.</summary>
public enum WeightType
{
    F32,
    BF16,

    /// <summary>E4M3 codes with one float32 scale per block (128 x 128 in DeepSeek-V3).</summary>
    E4M3,
}

/// <summary>One checkpoint tensor and where its rows go within a weight.</summary>
/// <param name="Tensor">Name in the checkpoint.</param>
/// <param name="Rows">Rows of the tensor; a vector counts as one row.</param>
/// <param name="Row">First row within the weight.</param>
/// <param name="ScaleRow">First row within the weight's scales; blocks start anew with every part.</param>
public readonly record struct WeightPart(string Tensor, int Rows, int Row = 0, int ScaleRow = 0);

/// <summary>
/// A weight in the device's arena: a matrix put together from the rows of one or more checkpoint tensors. Rows that no part
/// fills are zero.
/// </summary>
/// <param name="Rows">Rows of the whole weight; those of all experts, where it holds the matrices of many.</param>
/// <param name="Offset">Of the elements within the arena, in bytes; row-major [Rows, Columns].</param>
/// <param name="Scales">Where the scales are; null unless the type is <see cref="WeightType.E4M3"/>.</param>
public sealed record WeightBinding(WeightType Type, int Rows, int Columns, long Offset, WeightScales? Scales, params WeightPart[] Parts)
{
    internal int ElementBytes => Type switch
    {
        WeightType.F32 => 4,
        WeightType.BF16 => 2,
        _ => 1,
    };

    internal long Bytes => (long)Rows * Columns * ElementBytes;

    internal bool HasPadding => Parts.Sum(part => (long)part.Rows) < Rows;
}

/// <summary>One float32 scale per block; row-major [Rows, ceil(Columns / BlockColumns)].</summary>
/// <param name="Rows">Rows of scales of the whole weight.</param>
/// <param name="Offset">Within the arena, in bytes.</param>
public sealed record WeightScales(int Rows, long Offset, int BlockRows = 128, int BlockColumns = 128);

/// <summary>How far loading is.</summary>
public readonly record struct LoadProgress(long BytesDone, long BytesTotal);
