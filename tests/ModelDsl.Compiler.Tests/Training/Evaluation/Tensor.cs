namespace ModelDsl.Compiler.Tests.Training.Evaluation;

/// <summary>A row-major tensor in float64; integers are whole numbers.</summary>
internal sealed class Tensor(int[] shape, double[] data)
{
    public Tensor(params int[] shape)
        : this(shape, new double[shape.Aggregate(1, (product, size) => product * size)])
    {
    }

    public int[] Shape { get; } = shape;

    public double[] Data { get; } = data;

    public int Rows => Shape[0];

    public int Width => Shape[^1];

    public double this[int row, int column]
    {
        get => Data[row * Width + column];
        set => Data[row * Width + column] = value;
    }

    public Span<double> Row(int row) => Data.AsSpan(row * Width, Width);

    public int Int(int index) => (int)Data[index];

    /// <summary>The n-th matrix of a stack; shares its numbers with nobody.</summary>
    public Tensor Matrix(int index) => new(Shape[1..], Data[(index * Shape[1] * Shape[2])..((index + 1) * Shape[1] * Shape[2])]);

    public Tensor Copy() => new(Shape, [.. Data]);

    public Tensor Map(Func<double, double> function) => new(Shape, [.. Data.Select(function)]);

    public static Tensor Number(double value) => new([], [value]);

    /// <summary>The sum of two tensors of one shape.</summary>
    public static Tensor operator +(Tensor a, Tensor b) => new(a.Shape, [.. a.Data.Zip(b.Data, (x, y) => x + y)]);

    /// <summary>Normally distributed numbers, always the same for one seed.</summary>
    public static Tensor Random(Random random, double deviation, double mean, params int[] shape)
    {
        var result = new Tensor(shape);
        for (var i = 0; i < result.Data.Length; i++)
            result.Data[i] = mean + deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return result;
    }
}
