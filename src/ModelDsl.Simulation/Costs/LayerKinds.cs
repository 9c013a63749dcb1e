using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

/// <summary>Equal layers do equal work: one of each kind is enough to count it.</summary>
/// <param name="Small">The model with one layer of each kind; its last is like the model's last, as MTP modules follow that.</param>
/// <param name="KindOf">Of every layer of the model: which of <paramref name="Small"/>'s.</param>
internal sealed record LayerKinds(ModelSpec Small, IReadOnlyList<int> KindOf)
{
    public static LayerKinds Of(ModelSpec model)
    {
        // From behind, so that the last one's kind comes first, and then the other way round.
        var kinds = model.Layers.Reverse().DistinctBy(layer => layer.FeedForward).Reverse().ToArray();
        var index = kinds.Select((layer, i) => (layer.FeedForward, i)).ToDictionary(kind => kind.FeedForward, kind => kind.i);
        return new LayerKinds(model with { Layers = kinds.ToEquatable() }, [.. model.Layers.Select(layer => index[layer.FeedForward])]);
    }

    /// <summary>How many layers of the model are of a kind.</summary>
    public int Count(int kind) => KindOf.Count(other => other == kind);
}
