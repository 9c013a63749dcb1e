namespace ModelDsl.Compiler.Tests.Training.Evaluation;

/// <summary>Linear layers and their gradients.</summary>
internal static class Products
{
    /// <summary><c>x · weightᵀ</c>: [M,K], [N,K] to [M,N].</summary>
    public static Tensor Forward(Tensor x, Tensor weight)
    {
        var result = new Tensor(x.Rows, weight.Rows);
        for (var m = 0; m < x.Rows; m++)
            for (var n = 0; n < weight.Rows; n++)
                result[m, n] = Dot(x.Row(m), weight.Row(n));
        return result;
    }

    /// <summary><c>gradient · weight</c>: [M,N], [N,K] to [M,K].</summary>
    public static Tensor Input(Tensor gradient, Tensor weight)
    {
        var result = new Tensor(gradient.Rows, weight.Width);
        for (var m = 0; m < gradient.Rows; m++)
            for (var n = 0; n < weight.Rows; n++)
                AddTimes(result.Row(m), weight.Row(n), gradient[m, n]);
        return result;
    }

    /// <summary><c>gradientᵀ · x</c>: [M,N], [M,K] to [N,K].</summary>
    public static Tensor Weight(Tensor x, Tensor gradient)
    {
        var result = new Tensor(gradient.Width, x.Width);
        for (var m = 0; m < x.Rows; m++)
            for (var n = 0; n < gradient.Width; n++)
                AddTimes(result.Row(n), x.Row(m), gradient[m, n]);
        return result;
    }

    /// <summary>One of the above for the rows of each expert, side by side in the result.</summary>
    public static Tensor Grouped(Tensor rows, Tensor weight, Tensor offsets, Func<Tensor, Tensor, Tensor> product, int width)
    {
        var result = new Tensor(rows.Rows, width);
        for (var expert = 0; expert < weight.Rows; expert++)
        {
            var part = product(Part(rows, offsets, expert), weight.Matrix(expert));
            part.Data.CopyTo(result.Data, offsets.Int(expert) * width);
        }

        return result;
    }

    public static Tensor GroupedWeight(Tensor x, Tensor gradient, Tensor offsets)
    {
        var experts = offsets.Rows - 1;
        var result = new Tensor(experts, gradient.Width, x.Width);
        for (var expert = 0; expert < experts; expert++)
            Weight(Part(x, offsets, expert), Part(gradient, offsets, expert)).Data.CopyTo(result.Data, expert * gradient.Width * x.Width);
        return result;
    }

    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    public static void AddTimes(Span<double> to, ReadOnlySpan<double> row, double factor)
    {
        for (var i = 0; i < row.Length; i++) to[i] += row[i] * factor;
    }

    private static Tensor Part(Tensor rows, Tensor offsets, int expert)
    {
        var (start, end) = (offsets.Int(expert), offsets.Int(expert + 1));
        return new Tensor([end - start, rows.Width], rows.Data[(start * rows.Width)..(end * rows.Width)]);
    }
}
