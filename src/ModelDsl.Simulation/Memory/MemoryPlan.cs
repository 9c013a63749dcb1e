using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation.Memory;

/// <summary>What takes memory, and how much.</summary>
public sealed record Consumer(string Name, double Bytes);

/// <summary>A rank's memory over a step, and what makes it up at its fullest.</summary>
/// <param name="Peak">Bytes.</param>
/// <param name="Op">During which entry of the rank's program, counted from 0.</param>
/// <param name="At">That entry.</param>
/// <param name="Seconds">When it starts; null where times are not known.</param>
/// <param name="Consumers">Add up to the peak.</param>
/// <param name="LiveChunks">Micro-batches whose activations are kept then.</param>
/// <param name="DeferredWeightGradients">Micro-batches that wait for their weight gradients then.</param>
/// <param name="ByOp">Bytes during every entry of the rank's program.</param>
public sealed record RankMemory(
    double Peak, int Op, ScheduleOp At, double? Seconds, ImmutableArray<Consumer> Consumers, int LiveChunks, int DeferredWeightGradients,
    ImmutableArray<double> ByOp);

/// <summary>A rank's memory while an entry of its program runs.</summary>
/// <param name="Seconds">When it starts.</param>
public sealed record MemorySample(double Seconds, ImmutableArray<Consumer> Consumers);

/// <summary>Memory of all ranks, the moment at which each is fullest, and what fills it then.</summary>
/// <param name="Capacity">Of a GPU, bytes.</param>
public sealed record MemoryPlan(ImmutableArray<RankMemory> Ranks, double Capacity)
{
    public double Peak => Ranks.Max(rank => rank.Peak);

    public int FullestRank => Ranks.IndexOf(Ranks.MaxBy(rank => rank.Peak)!);

    public bool Fits => Peak <= Capacity;

    /// <param name="timeline">When ops start; null: not known.</param>
    /// <param name="shareEmbeddings">See <see cref="StateMemory.Of"/>.</param>
    public static MemoryPlan Of(
        TrainSpec train, Schedule schedule, ImmutableArray<Stage> stages, int replicas, AllToAll? exchange, Timeline? timeline,
        bool shareEmbeddings = true) =>
        new(Play(train, schedule, stages, replicas, exchange, timeline, shareEmbeddings, Enumerable.Range(0, schedule.Ranks), null), train.Cluster.Gpu.MemoryBytes);

    /// <summary>What a rank holds at every entry of its program.</summary>
    public static ImmutableArray<MemorySample> OverTime(
        TrainSpec train, Schedule schedule, ImmutableArray<Stage> stages, int replicas, AllToAll? exchange, Timeline timeline, int rank)
    {
        var samples = ImmutableArray.CreateBuilder<MemorySample>(schedule.Programs[rank].Length);
        Play(train, schedule, stages, replicas, exchange, timeline, true, [rank], samples.Add);
        return samples.ToImmutable();
    }

    private static ImmutableArray<RankMemory> Play(
        TrainSpec train, Schedule schedule, ImmutableArray<Stage> stages, int replicas, AllToAll? exchange, Timeline? timeline,
        bool shareEmbeddings, IEnumerable<int> ranks, Action<MemorySample>? watch)
    {
        var load = exchange?.RankLoad ?? 1;
        var chunks = stages.Select(stage => ChunkMemory.Of(stage, train.Schedule.MicroBatchSize, load)).ToArray();
        var buffers = Buffers(train, exchange);
        return
        [
            .. ranks.Select(rank =>
            {
                var held = Enumerable.Range(0, schedule.Placement.PartsPerRank).Select(part => schedule.Placement.Of(rank, part).Stage).ToArray();
                var state = StateMemory.Of(train, schedule, [.. held.Select(stage => stages[stage])], replicas, shareEmbeddings);
                return Play(schedule.Programs[rank], [.. held.Select(stage => chunks[stage])], state, buffers, timeline?.Ranks[rank] ?? [], watch);
            }),
        ];
    }

    private static RankMemory Play(
        ImmutableArray<ScheduleOp> program, ChunkMemory[] parts, StateMemory state, double buffers, ImmutableArray<TimedOp> timed,
        Action<MemorySample>? watch)
    {
        var (live, waiting) = (new int[parts.Length], new Queue<int>());
        double saved = 0, logits = 0, pinned = 0;
        var fixedBytes = state.Weights + state.Gradients + state.Master + state.Moments + buffers;
        var peak = new RankMemory(0, 0, program[0], null, [], 0, 0, []);
        var byOp = ImmutableArray.CreateBuilder<double>(program.Length);
        for (var i = 0; i < program.Length; i++)
        {
            var op = program[i];
            var working = 0.0;
            if (op.IsForward)
            {
                saved += parts[op.Part].Saved;
                logits += parts[op.Part].Logits;
                live[op.Part]++;
                working += parts[op.Part].WorkingForward;
            }
            if (op.IsBackward) working += parts[op.PartOfBackward].WorkingBackward;
            // While a gradient of inputs runs, what waits for the weights' takes the place of what it was made of, layer by layer.
            var handedOver = op.Kind == OpKind.BackwardInput ? Math.Max(0, parts[op.Part].Pinned - parts[op.Part].Saved - parts[op.Part].Logits) : 0;
            var total = fixedBytes + saved + logits + pinned + handedOver + working;
            byOp.Add(total);
            if (total > peak.Peak)
                peak = new RankMemory(total, i, op, i < timed.Length ? timed[i].Start : null, Consumers(handedOver, working), live.Sum(), waiting.Count, []);
            watch?.Invoke(new MemorySample(timed[i].Start, Consumers(handedOver, working)));
            if (op.IsBackward)
            {
                saved -= parts[op.PartOfBackward].Saved;
                logits -= parts[op.PartOfBackward].Logits;
                live[op.PartOfBackward]--;
            }
            if (op.Kind == OpKind.BackwardInput)
            {
                pinned += parts[op.Part].Pinned;
                waiting.Enqueue(op.Part);
            }
            if (op.Kind == OpKind.BackwardWeight) pinned -= parts[waiting.Dequeue()].Pinned;
        }
        return peak with { ByOp = byOp.MoveToImmutable() };

        ImmutableArray<Consumer> Consumers(double handedOver, double working) =>
        [
            new("weights", state.Weights), new("gradients", state.Gradients), new("master_weights", state.Master),
            new("moments", state.Moments), new("activations", saved), new("deferred_weight_gradients", pinned + handedOver),
            new("logits", logits), new("working_set", working), new("exchange_buffers", buffers),
        ];
    }

    /// <summary>
    /// Rings of the communication kernels, as DeepEP sizes them: in every channel 128 tokens for every node, both ways, and 288 for every GPU of
    /// the node.
    /// </summary>
    private static double Buffers(TrainSpec train, AllToAll? exchange)
    {
        if (exchange is null) return 0;
        var row = Math.Max(exchange.Dispatch.BytesPerToken, exchange.Combine.BytesPerToken);
        var nic = exchange.Nodes > 1 ? 2 * 128.0 * exchange.Nodes : 0;
        return exchange.Channels * row * (nic + 288.0 * Math.Min(train.Parallel.Expert, train.Cluster.Node.Gpus));
    }
}
