using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes.PlacePrecision;

/// <summary>How a weight tensor lies in memory once its format is known.</summary>
internal static class WeightPlacement
{
    /// <summary>The tensor in a wide type; its rows stay where they are.</summary>
    public static WeightTensor Wide(WeightTensor weight, DType type) => weight.Type == type ? weight : weight with { Type = type };

    /// <summary>
    /// The tensor in E4M3. Where several tensors of the checkpoint lie in one matrix, each starts at a block of scales of its own:
    /// its rows are padded to whole blocks, so that their scales can be copied as they are.
    /// </summary>
    public static WeightTensor Quantised(WeightTensor weight, BlockScales scales)
    {
        var inner = InnerRows(weight);
        var rows = inner.Count == 1 ? weight.Rows : inner.Sum(part => Align(part, scales.Rows));
        var scaleRows = (rows + scales.Rows - 1) / scales.Rows;
        var parts = new WeightSource[weight.Parts.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            var matrix = i / inner.Count;
            var row = 0;
            for (var before = 0; before < i % inner.Count; before++) row += Align(inner[before], scales.Rows);
            parts[i] = weight.Parts[i] with { Row = matrix * rows + row, ScaleRow = matrix * scaleRows + row / scales.Rows };
        }

        return weight with { Type = DType.E4M3, Rows = rows, Scales = scales, Parts = [.. parts] };
    }

    /// <summary>First row of the second tensor in a matrix of two: where <c>up</c> starts beside <c>gate</c>.</summary>
    public static int SecondRow(WeightTensor weight) => weight.Parts[1].Row;

    /// <summary>Rows of the checkpoint's tensors in one matrix; the same in every matrix of a stack.</summary>
    private static List<int> InnerRows(WeightTensor weight) =>
        weight.Parts.Take(weight.Parts.Count / weight.Matrices).Select(part => part.Shape[0]).ToList();

    private static int Align(int rows, int block) => (rows + block - 1) / block * block;
}
