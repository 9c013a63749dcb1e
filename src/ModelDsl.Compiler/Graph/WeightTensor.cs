using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph;

/// <summary>
/// One tensor of weights on the device, and where a Hugging Face checkpoint holds its rows. Rows that no part fills are zero.
/// </summary>
/// <param name="Key">Name in the plan and in the IR: <c>layers.3.experts.gate_up</c>.</param>
/// <param name="Type">Element type on the device. The loader converts: it dequantises, quantises and widens as needed.</param>
/// <param name="Matrices">How many matrices lie behind each other: the number of experts, else 1.</param>
/// <param name="Rows">Rows of one matrix, padding included; 1 for a vector.</param>
/// <param name="Columns">Length of a row.</param>
/// <param name="Scales">Granularity of the scales of an E4M3 tensor; null for every other type.</param>
/// <param name="Parts">What is loaded into it.</param>
/// <param name="IsStacked">The matrices are an expert's each; such a tensor has rank 3, also when there is one expert.</param>
public sealed record WeightTensor(
    string Key,
    DType Type,
    int Matrices,
    int Rows,
    int Columns,
    BlockScales? Scales,
    EquatableArray<WeightSource> Parts,
    bool IsStacked = false)
{
    /// <summary><c>[rows, columns]</c>, <c>[columns]</c> for a vector, <c>[matrices, rows, columns]</c> for stacked experts.</summary>
    public TensorType TensorType => new(
        Type, IsStacked ? [Matrices, Rows, Columns] : IsVector ? [Columns] : [Rows, Columns], Scales);

    /// <summary>One row that the checkpoint stores as a vector: a norm's weight, the router's bias.</summary>
    public bool IsVector => Parts.Count > 0 && Parts[0].Shape.Count == 1;

    /// <summary>Elements, padding included.</summary>
    public long Elements => (long)Matrices * Rows * Columns;

    /// <summary>Size of the values in bytes, without scales.</summary>
    public long Bytes => Elements * Type.Bytes();

    /// <summary>Rows of the F32 scale tensor, all matrices together; 0 without scales.</summary>
    public int ScaleRows => Scales is { } scales ? Matrices * ((Rows + scales.Rows - 1) / scales.Rows) : 0;

    /// <summary>Columns of the F32 scale tensor; 0 without scales.</summary>
    public int ScaleColumns => Scales is { } scales ? (Columns + scales.Columns - 1) / scales.Columns : 0;

    /// <summary>Size of the scales in bytes.</summary>
    public long ScaleBytes => 4L * ScaleRows * ScaleColumns;

    /// <summary>Parameters that come from the checkpoint.</summary>
    public long Parameters
    {
        get
        {
            var sum = 0L;
            foreach (var part in Parts) sum += part.Elements;
            return sum;
        }
    }
}

/// <summary>A tensor of the checkpoint and the rows of the device tensor that it fills.</summary>
/// <param name="Name">Name in the checkpoint; its scales, if it is FP8 there, are called <c>{Name}_scale_inv</c>.</param>
/// <param name="Shape">Shape in the checkpoint: <c>[rows, columns]</c> or <c>[length]</c>.</param>
/// <param name="Row">First row in the device tensor, counted through all matrices.</param>
/// <param name="ScaleRow">First row in the device tensor's scales, counted through all matrices.</param>
public sealed record WeightSource(string Name, EquatableArray<int> Shape, int Row, int ScaleRow)
{
    public long Elements
    {
        get
        {
            var product = 1L;
            foreach (var size in Shape) product *= size;
            return product;
        }
    }
}
