using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.Shard;

/// <summary>
/// Which stage every op of the forward pass is in. Units in their order: the embedding, each layer, the head, each MTP module. Where the
/// layout does not say, every stage gets as many as every other, or one more if it is among the first.
/// </summary>
/// <remarks>With 61 layers and one module on 16 stages that is four units each, the embedding beside three layers in the first and two
/// layers beside head and module in the last. Sums of losses are in no stage: each adds up its own.</remarks>
internal sealed class StageCut
{
    private readonly Dictionary<Op, int> _stages = new(ReferenceComparer.Instance);
    private readonly Dictionary<int, int> _makers = [];

    private StageCut()
    {
    }

    /// <summary>By boundary: values that some stage behind it reads and some stage before it makes, in the order in which they are made.</summary>
    public List<SortedDictionary<int, Temporary>> Crossing { get; } = [];

    public static StageCut Of(ModelGraph graph, ParallelLayout layout)
    {
        var cut = new StageCut();
        var (units, stages) = (Units(graph), layout.Stages);
        if (units.Count < stages)
            throw new PassException(
                $"A model of {units.Count} parts cannot be cut into {stages} stages.", "A part is the embedding, a layer, the head or an MTP module.");
        for (var stage = 0; stage < stages; stage++) cut.Crossing.Add([]);
        var sizes = Sizes(units.Count, layout);
        for (int stage = 0, unit = 0; stage < stages; unit += sizes[stage++])
            foreach (var op in units.GetRange(unit, sizes[stage]).SelectMany(ops => ops))
                cut.Place(op, stage);
        return cut;
    }

    /// <summary>Null: a sum of losses.</summary>
    public int? Stage(Op op) => _stages.TryGetValue(op, out var stage) ? stage : null;

    /// <summary>Null: it is the result of a sum of losses.</summary>
    public int? Maker(Temporary value) => _makers.TryGetValue(value.Id, out var stage) ? stage : null;

    /// <summary>Weights that more than one stage reads.</summary>
    public IEnumerable<SharedWeight> Shared() =>
        _stages.SelectMany(entry => entry.Key.Operands.OfType<WeightValue>().Select(value => (value.Weight.Key, Stage: entry.Value)))
            .GroupBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(uses => new SharedWeight(uses.Key, uses.Select(use => use.Stage).Distinct().OrderBy(stage => stage).ToEquatable()))
            .Where(weight => weight.Stages.Count > 1)
            .OrderBy(weight => weight.Key, StringComparer.Ordinal);

    private static IReadOnlyList<int> Sizes(int units, ParallelLayout layout)
    {
        if (layout.Parts.Count == 0)
            return [.. Enumerable.Range(0, layout.Stages).Select(stage => units / layout.Stages + (stage < units % layout.Stages ? 1 : 0))];
        return layout.Parts.Count == layout.Stages && layout.Parts.Sum() == units && layout.Parts.All(size => size > 0)
            ? layout.Parts
            : throw new PassException(
                $"Stages of {string.Join(", ", layout.Parts)} parts are no cut of {units} into {layout.Stages}.",
                "Every stage holds one part at least, and all of them hold all.");
    }

    private static List<List<Op>> Units(ModelGraph graph)
    {
        var units = new List<List<Op>>();
        Op? last = null;
        foreach (var op in graph.Ops)
        {
            if (op is SumOp) continue;
            if (last is null || last.Layer != op.Layer) units.Add([]);
            units[units.Count - 1].Add(op);
            last = op;
        }

        return units;
    }

    private void Place(Op op, int stage)
    {
        _stages.Add(op, stage);
        foreach (var operand in op.Operands.OfType<Temporary>())
            for (var boundary = _makers[operand.Id]; boundary < stage; boundary++)
                Crossing[boundary][operand.Id] = operand;
        foreach (var result in op.Results) _makers.Add(((Temporary)result).Id, stage);
    }

    private sealed class ReferenceComparer : IEqualityComparer<Op>
    {
        public static ReferenceComparer Instance { get; } = new();

        public bool Equals(Op? a, Op? b) => ReferenceEquals(a, b);

        public int GetHashCode(Op op) => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(op);
    }
}
