namespace ModelDsl.Runtime.Checkpoints;

/// <summary>What a weight is on the device, whatever the checkpoint stores.</summary>
public enum WeightType
{
    F32,
    BF16,

    /// <summary>E4M3 codes with one float32 scale per 128 x 128 block of every part.</summary>
    E4M3,
}

/// <summary>One checkpoint tensor and where its rows go within a weight.</summary>
/// <param name="Tensor">Name in the checkpoint.</param>
/// <param name="Row">First row within the weight.</param>
/// <param name="Rows">Rows of the tensor; a vector counts as one row.</param>
/// <param name="ScaleRow">First row within the weight's scales; blocks start anew with every part.</param>
public readonly record struct WeightPart(string Tensor, int Row, int Rows, int ScaleRow);

/// <summary>A weight in the device's arena: a matrix put together from the rows of one or more checkpoint tensors.</summary>
/// <param name="Offset">Of the elements within the arena, in bytes; row-major [Rows, Columns].</param>
/// <param name="ScaleOffset">Of the scales, row-major with ceil(Columns / 128) columns; unused unless the type is E4M3.</param>
public sealed record WeightBinding(WeightType Type, int Columns, long Offset, long ScaleOffset, WeightPart[] Parts)
{
    /// <summary>Rows and columns of a block that shares a scale on the device.</summary>
    public const int Block = 128;

    internal int ScaleColumns => (Columns + Block - 1) / Block;

    internal int ElementBytes => Type switch
    {
        WeightType.F32 => 4,
        WeightType.BF16 => 2,
        _ => 1,
    };
}

/// <summary>How far loading is.</summary>
public readonly record struct LoadProgress(long BytesDone, long BytesTotal);
