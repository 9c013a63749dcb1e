namespace ModelDsl.Compiler.Tests.Training.Evaluation;

/// <summary>Norms, SwiGLU, rotation, embedding and cross-entropy, and their gradients.</summary>
internal static class Rowwise
{
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon)
    {
        var result = new Tensor(x.Shape);
        for (var t = 0; t < x.Rows; t++)
        {
            var r = Reciprocal(x.Row(t), epsilon);
            for (var i = 0; i < x.Width; i++) result[t, i] = x[t, i] * r * weight.Data[i];
        }

        return result;
    }

    public static Tensor RmsNormInput(Tensor x, Tensor weight, Tensor gradient, double epsilon)
    {
        var result = new Tensor(x.Shape);
        for (var t = 0; t < x.Rows; t++)
        {
            var r = Reciprocal(x.Row(t), epsilon);
            var mean = 0.0;
            for (var i = 0; i < x.Width; i++) mean += gradient[t, i] * weight.Data[i] * x[t, i] / x.Width;
            for (var i = 0; i < x.Width; i++) result[t, i] = r * (gradient[t, i] * weight.Data[i] - x[t, i] * r * r * mean);
        }

        return result;
    }

    public static Tensor RmsNormWeight(Tensor x, Tensor gradient, double epsilon)
    {
        var result = new Tensor(x.Width);
        for (var t = 0; t < x.Rows; t++)
        {
            var r = Reciprocal(x.Row(t), epsilon);
            for (var i = 0; i < x.Width; i++) result.Data[i] += gradient[t, i] * x[t, i] * r;
        }

        return result;
    }

    public static Tensor SwiGlu(Tensor x, int up, int width)
    {
        var result = new Tensor(x.Rows, width);
        for (var t = 0; t < x.Rows; t++)
            for (var i = 0; i < width; i++)
                result[t, i] = x[t, i] * Sigmoid(x[t, i]) * x[t, up + i];
        return result;
    }

    public static Tensor SwiGluInput(Tensor x, Tensor gradient, int up)
    {
        var result = new Tensor(x.Shape);
        for (var t = 0; t < x.Rows; t++)
            for (var i = 0; i < gradient.Width; i++)
            {
                var (gate, s) = (x[t, i], Sigmoid(x[t, i]));
                result[t, i] = gradient[t, i] * x[t, up + i] * s * (1 + gate * (1 - s));
                result[t, up + i] = gradient[t, i] * gate * s;
            }

        return result;
    }

    /// <summary>Pairs (2i, 2i+1) of the last <paramref name="rope"/> components of every head, by the angle or its opposite.</summary>
    public static Tensor Rotate(Tensor x, Tensor cos, Tensor sin, Tensor positions, int heads, int nope, int rope, bool back)
    {
        var result = x.Copy();
        for (var t = 0; t < x.Rows; t++)
            for (var head = 0; head < heads; head++)
                for (var pair = 0; pair < rope / 2; pair++)
                {
                    var at = head * (nope + rope) + nope + 2 * pair;
                    var (c, s) = (cos[positions.Int(t), pair], sin[positions.Int(t), pair] * (back ? -1 : 1));
                    result[t, at] = x[t, at] * c - x[t, at + 1] * s;
                    result[t, at + 1] = x[t, at] * s + x[t, at + 1] * c;
                }

        return result;
    }

    public static Tensor Embed(Tensor ids, Tensor table)
    {
        var result = new Tensor(ids.Rows, table.Width);
        for (var t = 0; t < ids.Rows; t++)
            if (ids.Int(t) >= 0)
                table.Row(ids.Int(t)).CopyTo(result.Row(t));
        return result;
    }

    public static Tensor EmbedTable(Tensor ids, Tensor gradient, int vocabulary)
    {
        var result = new Tensor(vocabulary, gradient.Width);
        for (var t = 0; t < ids.Rows; t++)
            if (ids.Int(t) >= 0)
                Products.AddTimes(result.Row(ids.Int(t)), gradient.Row(t), 1);
        return result;
    }

    public static (Tensor Loss, Tensor Lse) CrossEntropy(Tensor logits, Tensor labels, double factor)
    {
        var lse = new Tensor(logits.Rows);
        var loss = 0.0;
        for (var t = 0; t < logits.Rows; t++)
        {
            lse.Data[t] = LogSumExp(logits.Row(t));
            if (labels.Int(t) >= 0) loss += lse.Data[t] - logits[t, labels.Int(t)];
        }

        return (Tensor.Number(factor * loss), lse);
    }

    public static Tensor CrossEntropyInput(Tensor logits, Tensor labels, Tensor lse, double factor)
    {
        var result = new Tensor(logits.Shape);
        for (var t = 0; t < logits.Rows; t++)
        {
            if (labels.Int(t) < 0) continue;
            for (var i = 0; i < logits.Width; i++) result[t, i] = factor * Math.Exp(logits[t, i] - lse.Data[t]);
            result[t, labels.Int(t)] -= factor;
        }

        return result;
    }

    public static double LogSumExp(ReadOnlySpan<double> row)
    {
        var (max, sum) = (double.NegativeInfinity, 0.0);
        foreach (var value in row) max = Math.Max(max, value);
        foreach (var value in row) sum += Math.Exp(value - max);
        return max + Math.Log(sum);
    }

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Reciprocal(ReadOnlySpan<double> row, double epsilon) => 1 / Math.Sqrt(Products.Dot(row, row) / row.Length + epsilon);
}
