namespace ModelDsl.Compiler.HostCode;

/// <summary>Layers in a sentence.</summary>
internal static class LayerRanges
{
    /// <summary><c>layer 3</c>, <c>layers 0 to 2, 5</c>; the numbers ascend.</summary>
    public static string Text(IReadOnlyCollection<int> layers)
    {
        var runs = new List<(int First, int Last)>();
        foreach (var layer in layers)
            if (runs.Count > 0 && runs[runs.Count - 1].Last == layer - 1) runs[runs.Count - 1] = (runs[runs.Count - 1].First, layer);
            else runs.Add((layer, layer));
        var text = string.Join(", ", runs.Select(run => run.First == run.Last ? $"{run.First}" : $"{run.First} to {run.Last}"));
        return (layers.Count == 1 ? "layer " : "layers ") + text;
    }
}
