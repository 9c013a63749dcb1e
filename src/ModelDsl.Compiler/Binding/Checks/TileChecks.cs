using System.Globalization;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>Matrices whose sides the FP8 block does not divide are padded to it; says what that costs in multiplications.</summary>
internal static class TileChecks
{
    /// <summary>Below this share of all multiplications a word is enough; above it is worth a warning.</summary>
    private const double WorthAWarning = 0.01;

    private const int MostNamed = 3;

    public static void Check(ModelSpec model, PrecisionSpec precision, SourceSpan at, DiagnosticBag diagnostics)
    {
        if (!precision.Gemm.IsFp8) return;
        var block = precision.Gemm.Weights;
        double useful = 0, padding = 0;
        var sides = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, outputs, inputs, times) in Matrices(model))
        {
            useful += times * outputs * inputs;
            var (rows, columns) = (Padded(outputs, block.Rows), Padded(inputs, block.Columns));
            padding += times * (rows * columns - outputs * inputs);
            if (rows > outputs || columns > inputs)
            {
                var side = rows > outputs ? $"{outputs} outputs of {name} to {rows}" : $"{inputs} inputs of {name} to {columns}";
                sides[side] = (sides.TryGetValue(side, out var cost) ? cost : 0) + times * (rows * columns - outputs * inputs);
            }
        }

        if (sides.Count == 0) return;
        var named = sides.OrderByDescending(s => s.Value).Take(MostNamed).Select(s => s.Key);
        var share = padding / useful;
        var more = sides.Count > MostNamed ? $" and {sides.Count - MostNamed} more" : "";
        diagnostics.Add(Catalogue.TilePadding(at, share >= WorthAWarning,
            $"model '{model.Name}' is padded to FP8 blocks of {block.Rows} x {block.Columns}: {string.Join(", ", named)}{more}",
            (100 * share).ToString(share < 0.01 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + " %"));
    }

    private static double Padded(double side, int block) => Math.Ceiling(side / block) * block;

    /// <summary>Every quantised linear layer: its sides, and how often a token passes one.</summary>
    private static IEnumerable<(string Name, double Outputs, double Inputs, double Times)> Matrices(ModelSpec model)
    {
        var mla = model.Attention;
        double layers = model.Layers.Count, hidden = model.Hidden, heads = mla.Heads;
        if (mla.QRank is { } rank)
        {
            yield return ("q_down", rank, hidden, layers);
            yield return ("q_up", heads * mla.QkDim, rank, layers);
        }
        else
        {
            yield return ("the query projection", heads * mla.QkDim, hidden, layers);
        }
        yield return ("kv_down", mla.CacheWidth, hidden, layers);
        yield return ("kv_up", heads * (mla.NopeDim + mla.VDim), mla.KvRank, layers);
        yield return ("the attention output", hidden, heads * mla.VDim, layers);
        foreach (var layer in model.Layers)
            switch (layer.FeedForward)
            {
                case DenseSpec dense:
                    yield return ("dense gate and up", dense.Width, hidden, 2);
                    yield return ("dense down", hidden, dense.Width, 1);
                    break;
                case MoeSpec moe:
                    yield return ("expert gate and up", moe.Width, hidden, 2.0 * moe.Active);
                    yield return ("expert down", hidden, moe.Width, moe.Active);
                    if (moe.Shared == 0) break;
                    yield return ("shared gate and up", (double)moe.Shared * moe.Width, hidden, 2);
                    yield return ("shared down", hidden, (double)moe.Shared * moe.Width, 1);
                    break;
            }
    }
}
