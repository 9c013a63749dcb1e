using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Tests;

/// <summary>DeepSeek-V3's layout fits 80 GB with its recipe, and would not without.</summary>
public class MemoryPlanTests
{
    private static readonly TrainSpec Run = Runs.DeepSeekV3;
    private static readonly TrainingWork Work = TrainingWork.Of(Run);
    private static readonly TrainingPlan Plan = TrainingPlan.Of(Run, Work);

    [Fact]
    public void The_published_layout_fits()
    {
        Assert.True(Plan.Memory.Fits);
        Assert.Equal(80e9, Plan.Memory.Capacity);
        Assert.InRange(Plan.Memory.Peak, 60e9, 78e9);
    }

    /// <summary>At 64 expert ranks a stage of four MoE layers is 704.6 million parameters of experts and 932.0 million others; a rank has two.</summary>
    [Fact]
    public void A_rank_of_the_middle_holds_two_stages()
    {
        const double experts = 2 * 704.643e6, others = 2 * 931.951e6;
        var consumers = Plan.Memory.Ranks[7].Consumers.ToDictionary(consumer => consumer.Name, consumer => consumer.Bytes);
        Assert.Equal(4 * (experts + others), consumers["gradients"], 0.01e9);
        // Two ranks hold a stage, and 128 data-parallel ones of each; of experts two.
        Assert.Equal(4 * (experts / 4 + others / 256), consumers["master_weights"], 0.01e9);
        Assert.Equal(2 * 2 * (experts / 4 + others / 256), consumers["moments"], 0.01e9);
    }

    /// <summary>
    /// By hand, bytes a token of an MoE layer: two BF16 streams, both latents and the rotated key, E5M6 of attention with its scales, its FP32
    /// sums; eight FP8 rows dispatched, nine gates and ups, the router's scores in FP32, choices and weights, where every row came from and goes to.
    /// </summary>
    [Fact]
    public void Activations_are_those_counted_by_hand()
    {
        const double fp8 = 1.03125;
        var layer = 2 * 7168 * 2 + (1536 + 576) * 2 + 16384 * (1.5 + 4 / 128.0) + 128 * 4 + 8 * 7168 * fp8 + 9 * 4096 * fp8 + 256 * 4 + 8 * 8 + 4 * 8 * 4;
        Assert.Equal(4096 * layer, Work.Layers[^1].Memory.Saved.On(1), 0.001 * 4096 * layer);
    }

    /// <summary>
    /// By hand, what waits of an MoE layer for its weight gradients: what the forward left but attention's sums, rotated key, and the router's choices; FP8
    /// gradients of every linear layer's result, BF16 ones of the four norms'.
    /// </summary>
    [Fact]
    public void Operands_that_wait_are_those_counted_by_hand()
    {
        const double fp8 = 1.03125;
        var kept = 2 * 7168 * 2 + (1536 + 512) * 2 + 16384 * (1.5 + 4 / 128.0) + 8 * 7168 * fp8 + 9 * 4096 * fp8;
        var gradients = (1536 + 576 + 24576 + 32768 + 7168 + 9 * 4096 + 9 * 7168) * fp8 + (2 * 7168 + 1536 + 512) * 2;
        Assert.Equal(4096 * (kept + gradients), Work.Layers[^1].Memory.Pinned.On(1), 0.02 * 4096 * (kept + gradients));
    }

    [Fact]
    public void Putting_weight_gradients_off_saves_time_and_costs_memory()
    {
        var whole = Memory.WeightDeferral.Of(Plan)!;
        Assert.True(whole.Makespan > Plan.Timeline.Makespan);
        Assert.True(whole.Peak < Plan.Memory.Peak);
        Assert.Null(Memory.WeightDeferral.Of(TrainingPlan.Of(Run with { Schedule = Run.Schedule with { Kind = "1f1b" } }, Work)));
    }

    [Fact]
    public void Consumers_add_up_to_the_peak() =>
        Assert.All(Plan.Memory.Ranks, rank => Assert.Equal(rank.Peak, rank.Consumers.Sum(consumer => consumer.Bytes), 1));

    /// <summary>First the state and one micro-batch, in the end the state and the last weight gradient's operands.</summary>
    [Fact]
    public void Memory_is_known_during_every_op()
    {
        foreach (var (rank, memory) in Plan.Memory.Ranks.Index())
        {
            Assert.Equal(Plan.Schedule.Programs[rank].Length, memory.ByOp.Length);
            Assert.Equal((memory.Peak, memory.Op), (memory.ByOp.Max(), memory.ByOp.IndexOf(memory.Peak)));
            Assert.True(memory.ByOp[0] < memory.Peak - 20e9 && memory.ByOp[^1] < memory.Peak - 20e9);
        }
    }

    [Fact]
    public void Every_saving_is_worth_something_and_the_large_ones_are_needed()
    {
        var savings = Plan.Savings.ToDictionary(saving => saving.Name);
        Assert.Equal(
            ["fp8_caches", "narrow_moments", "recompute", "sharded_optimizer", "shared_embedding_and_head"], savings.Keys.Order(StringComparer.Ordinal));
        Assert.All(["fp8_caches", "recompute", "shared_embedding_and_head", "sharded_optimizer"], name => Assert.True(savings[name].Peak > 80e9));
        // Copies of embedding and head on the first rank: BF16 weights, FP32 gradients, a small part of the state.
        Assert.InRange(savings["shared_embedding_and_head"].Peak - Plan.Memory.Ranks[0].Peak, 2 * 926_679_040.0 * 6, 2 * 926_679_040.0 * 6.1);
        // FP32 instead of BF16 moments on the fullest rank: as much again.
        var moments = Plan.Memory.Ranks[Plan.Memory.FullestRank].Consumers.Single(consumer => consumer.Name == "moments").Bytes;
        Assert.Equal(moments, savings["narrow_moments"].Bytes, 1);
    }

    /// <summary>Zero-bubble schedules pay for it in operands that wait: rank r of ZB1P lets r weight gradients wait.</summary>
    [Fact]
    public void Weight_gradients_that_wait_pin_their_operands()
    {
        var plan = TrainingPlan.Of(Run with { Schedule = Run.Schedule with { Kind = "zb1p" } }, Work);
        Assert.Equal(0, plan.Memory.Ranks[0].DeferredWeightGradients);
        Assert.True(plan.Memory.Ranks[8].DeferredWeightGradients > 0);
        Assert.True(plan.Memory.Ranks[8].Consumers.Single(consumer => consumer.Name == "deferred_weight_gradients").Bytes > 1e9);
    }
}
