using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Memory;

/// <summary>What one of the recipe's savings is worth: how much more the fullest rank would need without it.</summary>
/// <param name="Bytes">Of the peak.</param>
/// <param name="Peak">Without the saving, bytes.</param>
public sealed record MemorySaving(string Name, double Bytes, double Peak);

public static class MemorySavings
{
    /// <param name="plan">Plans the memory of a run that differs in its policy or in what it shards, with or without shared embeddings.</param>
    public static ImmutableArray<MemorySaving> Of(TrainSpec train, MemoryPlan with, Func<TrainSpec, bool, MemoryPlan> plan)
    {
        var savings = ImmutableArray.CreateBuilder<MemorySaving>();
        void Add(string name, PrecisionSpec precision, bool share = true)
        {
            var peak = plan(train with { Precision = precision }, share).Peak;
            if (peak > with.Peak) savings.Add(new MemorySaving(name, peak - with.Peak, peak));
        }

        var precision = train.Precision;
        var wide = new ScaledFormat(NumberFormat.Bf16, ScaleRounding.Exact);
        if (precision.Cache is { } cache)
        {
            Add("fp8_caches", precision with { Cache = cache with { Activations = wide, AttentionOutput = wide, SwigluInput = wide } });
            Add("recompute", precision with { Cache = cache with { Recompute = [] } });
        }
        Add("narrow_moments", precision with { State = precision.State with { Moments = NumberFormat.Fp32 } });
        if (train.Model.MtpDepth > 0) Add("shared_embedding_and_head", precision, share: false);
        if (train.Parallel.Data != DataSharding.Replicated)
        {
            var replicated = plan(train with { Parallel = train.Parallel with { Data = DataSharding.Replicated } }, true).Peak;
            if (replicated > with.Peak) savings.Add(new MemorySaving("sharded_optimizer", replicated - with.Peak, replicated));
        }
        return savings.ToImmutable();
    }
}
