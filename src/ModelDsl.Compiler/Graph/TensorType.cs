using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph;

/// <summary>What is known of a tensor before it exists.</summary>
/// <param name="Shape">Row-major; sizes may be symbolic.</param>
/// <param name="Scales">Granularity of the F32 scales that belong to E4M3 values; null for every other type.</param>
public sealed record TensorType(DType Type, EquatableArray<Dim> Shape, BlockScales? Scales = null)
{
    public TensorType(DType type, params Dim[] shape)
        : this(type, shape.ToEquatable())
    {
    }

    public int Rank => Shape.Count;

    public Dim Elements
    {
        get
        {
            Dim product = 1;
            foreach (var size in Shape) product *= size;
            return product;
        }
    }

    /// <summary>Length of a row where it is known when compiled; rows are along the last dimension.</summary>
    /// <exception cref="InvalidOperationException">The last dimension is symbolic.</exception>
    public int Width => Shape.Count > 0 && Shape[Shape.Count - 1].Constant is { } width
        ? checked((int)width)
        : throw new InvalidOperationException($"The rows of {this} have no fixed length.");

    /// <summary>How many rows: the first dimension.</summary>
    public Dim Rows => Shape[0];

    public bool IsQuantised => Scales is not null;

    /// <summary>The same shape in another element type, without scales.</summary>
    public TensorType As(DType type) => new(type, Shape);

    /// <summary>The same shape in E4M3 with one scale per 1 x 128 group of a row (V3 report, section 3.3.2).</summary>
    public TensorType Quantised() => new(DType.E4M3, Shape, BlockScales.Activation);

    /// <summary><c>bf16[T,128]</c>, <c>e4m3/1x128[T,128]</c>.</summary>
    public override string ToString() =>
        $"{Type.Text()}{(Scales is null ? "" : $"/{Scales}")}[{string.Join(",", Shape.Select(size => size.ToString()))}]";
}
