using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Time;

/// <summary>Blocks that a stage of the pipeline holds, first to last.</summary>
/// <param name="FirstLayer">Of the model's layers; -1 where it holds none.</param>
/// <param name="Layers">How many of them.</param>
public sealed record Stage(ImmutableArray<BlockWork> Blocks, int FirstLayer, int Layers);

/// <summary>
/// Cuts a model into stages so that the slowest is as fast as can be and the rest are as even as can be. The embedding stays with the first
/// layer; head and MTP modules stay together, as they share their weights.
/// </summary>
public static class StageLayout
{
    /// <summary>How many more layers than need be the last stage may get where another stage of its rank gets fewer.</summary>
    private const int Shifts = 2;

    /// <param name="seconds">What a block costs.</param>
    /// <param name="mirrored">
    /// The first and the last stage share a rank: then it is their sum that counts, and how they divide it is open. As the first keeps the activations of
    /// many more micro-batches, layouts that give more to the last are worth a look.
    /// </param>
    /// <returns>At least one; the first is the one that is even.</returns>
    public static IEnumerable<ImmutableArray<Stage>> Of(TrainingWork work, int stages, Func<BlockWork, double> seconds, bool mirrored)
    {
        var units = Units(work);
        stages = Math.Min(stages, units.Count);

        var even = Of(work, units, stages, seconds);
        yield return even;
        for (var shift = 1; mirrored && shift <= Shifts && work.Layers.Length - even[^1].Layers - shift >= stages - 1; shift++)
        {
            // What the last stage gets for certain is one unit.
            var last = even[^1].Layers + shift;
            var joined = units.Take(work.Layers.Length - last).Append([.. units.TakeLast(last + 1).SelectMany(unit => unit)]).ToList();
            yield return Of(work, joined, stages, seconds);
        }
    }

    /// <summary>A cut that is given.</summary>
    /// <param name="layers">Of every stage; all of the model's together.</param>
    public static ImmutableArray<Stage> Of(TrainingWork work, ImmutableArray<int> layers)
    {
        var units = Units(work);
        var first = 0;
        return
        [
            .. layers.Select((count, stage) =>
            {
                var last = stage == layers.Length - 1;
                var blocks = units.GetRange(first, count + (last ? 1 : 0)).SelectMany(unit => unit).ToImmutableArray();
                first += count;
                return new Stage(blocks, count > 0 ? first - count : -1, count);
            }),
        ];
    }

    /// <summary>Why such a cut cannot be made; null: it can.</summary>
    public static string? Problem(ModelSpec model, int stages, ImmutableArray<int> layers) =>
        layers.Length != stages ? $"{layers.Length} stages are given for a pipeline of {stages}"
        : layers.Any(count => count < 0) || layers[0] < 1 || layers.AsSpan()[..^1].Contains(0) ? "every stage but the last holds at least one layer"
        : layers.Sum() != model.Layers.Count ? $"the stages hold {layers.Sum()} layers, and the model has {model.Layers.Count}"
        : null;

    private static List<List<BlockWork>> Units(TrainingWork work)
    {
        var units = work.Layers.Select(layer => new List<BlockWork> { layer }).ToList();
        units[0].Insert(0, work.Embedding);
        units.Add([work.Head]);
        for (var i = 0; i < work.Model.MtpDepth; i++) units[^1].Add(work.Mtp!);
        return units;
    }

    private static ImmutableArray<Stage> Of(TrainingWork work, List<List<BlockWork>> units, int stages, Func<BlockWork, double> seconds)
    {
        var before = new double[units.Count + 1];
        for (var i = 0; i < units.Count; i++) before[i + 1] = before[i] + units[i].Sum(seconds);
        var ends = Cut(before, stages);

        var result = ImmutableArray.CreateBuilder<Stage>(stages);
        for (int stage = 0, start = 0; stage < stages; start = ends[stage++])
        {
            ImmutableArray<BlockWork> blocks = [.. units.GetRange(start, ends[stage] - start).SelectMany(unit => unit)];
            var layers = blocks.Count(block => block.Kind is BlockKind.Dense or BlockKind.Moe);
            result.Add(new Stage(blocks, layers > 0 ? start : -1, layers));
        }
        return result.MoveToImmutable();
    }

    /// <summary>Best cuts of a row of costs, whose sums up to each place are given: least maximum first, then least sum of squares.</summary>
    private static int[] Cut(double[] before, int stages)
    {
        var count = before.Length - 1;
        var best = new (double Most, double Squares, int From)[stages + 1, count + 1];
        for (var stage = 0; stage <= stages; stage++)
            for (var end = 0; end <= count; end++)
                best[stage, end] = (double.PositiveInfinity, double.PositiveInfinity, 0);
        best[0, 0] = (0, 0, 0);
        for (var stage = 1; stage <= stages; stage++)
            for (var end = stage; end <= count; end++)
                for (var from = stage - 1; from < end; from++)
                {
                    var cost = before[end] - before[from];
                    var (most, squares) = (Math.Max(best[stage - 1, from].Most, cost), best[stage - 1, from].Squares + cost * cost);
                    if ((most, squares).CompareTo((best[stage, end].Most, best[stage, end].Squares)) < 0) best[stage, end] = (most, squares, from);
                }
        var ends = new int[stages];
        for (int stage = stages, end = count; stage > 0; end = best[stage, end].From, stage--) ends[stage - 1] = end;
        return ends;
    }
}
