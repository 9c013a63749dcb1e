using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.WhatIf;

/// <param name="Tried">Layouts in which everything divides.</param>
/// <param name="Fitting">Of those, that fit in the memory.</param>
/// <param name="Front">Those that no other beats in step time, memory and GPUs at once; largest clusters first, fastest first.</param>
/// <param name="Own">The file's own layout, if it was among them.</param>
public sealed record SearchResult(int Tried, int Fitting, ImmutableArray<LayoutResult> Front, LayoutResult? Own);

/// <summary>
/// Tries layouts of a run at its full batch: pipeline, expert and tensor parallelism, schedule, micro-batches few and large or many and small,
/// recomputation, and the cluster whole, halved and so on, with fewer pipelines and more micro-batches for each. Deterministic, whatever the number of threads.
/// </summary>
public static class LayoutSearch
{
    /// <summary>Micro-batches of a step times stages, beyond which a layout is not tried.</summary>
    internal const long MostOps = 1 << 15;

    private const int Halvings = 4;
    private const int WidestTensor = 8;

    private static readonly int[] MicroBatchSizes = [1, 2, 4, 8];

    private static readonly string[][] Recomputations = [[], ["norm"], ["norm", "swiglu"], ["norm", "mla_up", "swiglu"]];

    public static SearchResult Run(TrainSpec train, PlanOptions? options = null, IProgress<(int Done, int Total)>? progress = null)
    {
        // Measured times are of one layout and say nothing about others.
        options = (options ?? PlanOptions.None) with { Times = null, LayerTimes = null, StepSeconds = null, StageLayers = null };
        var precisions = Precisions(train).ToDictionary(pair => pair.Name, pair => pair.Precision);
        var layouts = Layouts(train, [.. precisions.Keys]).ToArray();
        var works = layouts.Select(layout => (layout.Recompute, layout.Tensor)).Distinct().AsParallel()
            .Select(key => (key, Work: TrainingWork.Of(train.Model, precisions[key.Recompute], train.Data.Sequence, key.Tensor))).ToDictionary(pair => pair.key, pair => pair.Work);
        var results = new LayoutResult?[layouts.Length];
        var done = 0;
        Parallel.For(0, layouts.Length, i =>
        {
            var layout = layouts[i];
            var plan = TrainingPlan.OfFitting(layout.Apply(train, precisions[layout.Recompute]), works[(layout.Recompute, layout.Tensor)], options);
            if (plan is not null) results[i] = LayoutResult.Of(layout, plan);
            progress?.Report((Interlocked.Increment(ref done), layouts.Length));
        });

        var fitting = results.OfType<LayoutResult>().ToArray();
        var own = fitting.FirstOrDefault(result => result.Layout == Own(train, precisions.Keys));
        return new SearchResult(layouts.Length, fitting.Length, Front(fitting), own);
    }

    /// <summary>Everything that divides, in a fixed order.</summary>
    public static IEnumerable<Layout> Layouts(TrainSpec train, IReadOnlyList<string> recomputations)
    {
        var model = train.Model;
        var experts = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().Select(moe => moe.Routed).Distinct().ToArray();
        var expertRanks = Divisors(experts.Length == 0 ? 1 : experts.Min()).Where(ranks => experts.All(count => count % ranks == 0)).ToArray();
        var tensorRanks = Divisors(model.Attention.Heads).Where(ranks => ranks <= Math.Min(WidestTensor, train.Cluster.Node.Gpus)).ToArray();
        var nodes = Enumerable.Range(0, Halvings).Where(half => train.Cluster.Nodes % (1 << half) == 0).Select(half => train.Cluster.Nodes >> half).ToArray();
        var sizes = MicroBatchSizes.Append(train.Schedule.MicroBatchSize).Distinct().Order().ToArray();
        return
            from count in nodes
            from pipeline in Enumerable.Range(1, model.Layers.Count)
            from expert in expertRanks
            from tensor in tensorRanks
            from schedule in ScheduleRules.Names
            from size in sizes
            let layout = new Layout(count, pipeline, expert, tensor, schedule, size, "")
            where layout.IsPossible(train)
            from recompute in recomputations
            select layout with { Recompute = recompute };
    }

    private static ImmutableArray<LayoutResult> Front(LayoutResult[] results)
    {
        // In order of time, then memory, then GPUs, nothing later dominates anything earlier.
        var front = new List<LayoutResult>();
        foreach (var result in results.OrderBy(r => r.StepSeconds).ThenBy(r => r.MemoryBytes).ThenBy(r => r.Gpus))
            if (!front.Any(better => better.MemoryBytes <= result.MemoryBytes && better.Gpus <= result.Gpus)) front.Add(result);
        return [.. front.OrderByDescending(result => result.Gpus).ThenBy(result => result.StepSeconds)];
    }

    private static IEnumerable<(string Name, PrecisionSpec Precision)> Precisions(TrainSpec train)
    {
        if (train.Precision.Cache is not { } cache) return [("", train.Precision)];
        return Recomputations.Append([.. cache.Recompute]).Select(Ordered).DistinctBy(Name)
            .Select(set => (Name(set), train.Precision with { Cache = cache with { Recompute = set.ToEquatable() } }));
    }

    private static Layout Own(TrainSpec train, IEnumerable<string> recomputations)
    {
        var own = Name(Ordered(train.Precision.Cache is { } cache ? [.. cache.Recompute] : []));
        return new Layout(
            train.Cluster.Nodes, train.Parallel.Pipeline, train.Parallel.Expert, train.Parallel.Tensor, train.Schedule.Kind,
            train.Schedule.MicroBatchSize, recomputations.Contains(own) ? own : "");
    }

    private static string[] Ordered(string[] recompute) => [.. recompute.Distinct().Order(StringComparer.Ordinal)];

    private static string Name(string[] recompute) => string.Join('+', recompute);

    private static IEnumerable<int> Divisors(int number) => Enumerable.Range(1, number).Where(divisor => number % divisor == 0);
}
