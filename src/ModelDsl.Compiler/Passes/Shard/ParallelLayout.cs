using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.Shard;

/// <summary>How a training step is spread over ranks, and which stage of the pipeline a graph is of.</summary>
/// <param name="Stages">Of the model, one behind the other.</param>
/// <param name="Tensor">Ranks that share the heads of attention, and the rows of a sequence everywhere else.</param>
/// <param name="Expert">Ranks among which the experts of a layer are divided.</param>
/// <param name="Data">Pipelines side by side, each with sequences of its own.</param>
/// <param name="IsFolded">A rank that holds stage s holds stage <c>Stages - 1 - s</c> too: both ends of the model lie together.</param>
/// <param name="StagesPerRank">How many stages a rank holds; what it knows of several, it adds up before it talks to everybody.</param>
/// <param name="Copies">How often a pipeline holds each stage: twice under DualPipe, whose micro-batches come from both ends.</param>
/// <param name="ShardsState">ZeRO-1: every rank keeps optimizer state of its share of a weight only.</param>
/// <param name="Shared">Weights that several stages hold.</param>
public sealed record ParallelLayout(
    int Stages, int Stage, int Tensor, int Expert, int Data, bool IsFolded, int StagesPerRank, int Copies, bool ShardsState,
    EquatableArray<SharedWeight> Shared)
{
    public ParallelLayout(int stages, int stage, int tensor, int expert, int data)
        : this(stages, stage, tensor, expert, data, IsFolded: false, StagesPerRank: 1, Copies: 1, ShardsState: true, [])
    {
    }

    /// <summary>The layout of a run, for its first stage.</summary>
    /// <exception cref="PassException">It cannot be lowered.</exception>
    public static ParallelLayout Of(TrainSpec train)
    {
        var parallel = train.Parallel;
        if (parallel.Data is DataSharding.Zero2 or DataSharding.Zero3)
            throw new PassException(
                $"train '{train.Name}' shares {(parallel.Data == DataSharding.Zero2 ? "gradients" : "weights")} among data-parallel ranks.",
                "Graphs are made for data = replicated and zero1.");
        var kind = train.Schedule.Kind;
        var (ranks, copies) = (ScheduleRules.Ranks(kind, parallel.Pipeline), kind == "dualpipe" ? 2 : 1);
        return new ParallelLayout(
            parallel.Pipeline, 0, parallel.Tensor, parallel.Expert, Math.Max(1, train.Cluster.Gpus / (ranks * parallel.Tensor)),
            IsFolded: kind is "dualpipe" or "dualpipev", parallel.Pipeline * copies / ranks, copies, parallel.Data == DataSharding.Zero1, [])
        {
            SplitsBackward = kind is "zb1p" or "dualpipe" or "dualpipev",
        };
    }

    /// <summary>How many parts of the model each stage holds: embedding, layers, head, MTP modules, in that order; empty: as even as that
    /// goes.</summary>
    public EquatableArray<int> Parts { get; init; } = [];

    /// <summary>The schedule runs weight halves of the backward pass later than their input halves.</summary>
    public bool SplitsBackward { get; init; } = true;

    public bool IsSpread => Stages * Tensor * Expert * Data > 1;

    public CommGroup TensorGroup => new(CommAxis.Tensor, Tensor);

    public CommGroup ExpertGroup => new(CommAxis.Expert, Expert);

    /// <summary>All ranks that compute with a stage.</summary>
    public CommGroup Replicas => new(CommAxis.Replica, Copies * Data * Tensor);

    public CommGroup World => new(CommAxis.World, Stages * Copies / StagesPerRank * Data * Tensor);

    /// <summary>The ranks that hold the same part of a weight: their gradients are summed.</summary>
    public CommGroup Holders(WeightTensor weight) => weight switch
    {
        { IsStacked: true } => new CommGroup(CommAxis.ExpertReplica, Copies * Data * Tensor / Expert),
        _ when IsDivided(weight) => new CommGroup(CommAxis.Data, Copies * Data),
        _ => Replicas,
    };

    /// <summary>Those stages of a shared weight that keep it: under a folded pipeline two on one rank keep it once.</summary>
    public EquatableArray<int> Keepers(SharedWeight shared) => shared.Stages
        .Where(stage => !IsFolded || !shared.Stages.Any(other => other < stage && other == Stages - 1 - stage)).ToEquatable();

    /// <summary>A projection of attention that belongs to heads.</summary>
    public static bool IsDivided(WeightTensor weight) => IsByRows(weight) || IsByColumns(weight);

    /// <summary>To the heads: queries, keys and values.</summary>
    internal static bool IsByRows(WeightTensor weight) => EndsWith(weight, ".q") || EndsWith(weight, ".q_b") || EndsWith(weight, ".kv_b");

    /// <summary>From the heads.</summary>
    internal static bool IsByColumns(WeightTensor weight) => EndsWith(weight, ".o");

    private static bool EndsWith(WeightTensor weight, string name) => weight.Key.EndsWith(name, StringComparison.Ordinal);
}

/// <summary>A weight that several stages hold, in ascending order; the first of them is its owner.</summary>
public sealed record SharedWeight(string Key, EquatableArray<int> Stages);
