using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Training;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Tests;

/// <summary>What a plan reckons for a rank is what the compiler's sharded graph gives it: the fourth stage of DeepSeek-V3, four layers with experts.</summary>
public class TensorParallelTests
{
    private const int Sequence = 4096, Layers = 4;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void A_rank_has_the_weights_the_products_and_the_exchanges_of_its_graph(int tensor)
    {
        var run = Runs.DeepSeekV3;
        var layer = TrainingWork.Of(run.Model, run.Precision, Sequence, tensor).Layers[20];
        var stage = TrainingGraph.OfStage(run.Model, run.Precision, Sequence, new ParallelLayout(16, 5, tensor, expert: 64, data: 64));
        var costs = new OpCosts(run.Precision, Sequence / tensor);

        var weights = stage.Graph.Weights.Select(entry => entry.Weight).ToArray();
        Assert.Equal(weights.Sum(weight => (double)weight.Parameters), Layers * layer.Weights.Sum(held => held.Parameters / (held.Routed ? 64 : 1)));
        Assert.Equal(
            weights.Where(ParallelLayout.IsDivided).Sum(weight => (double)weight.Parameters),
            tensor == 1 ? Layers * layer.Weights.Where(held => held.Divided).Sum(held => held.Parameters) : Layers * DividedParameters / tensor);

        double Flops(Work work, bool core) => stage.Ops(work).Select(costs.Of).Sum(cost => core ? cost.AttentionFlops : cost.LinearFlops);
        var forward = layer.Attention.Forward.Concat(layer.FeedForward.Forward).ToArray();
        Assert.Equal(
            Flops(Work.Forward, core: false),
            Layers * forward.Where(kernel => kernel.Class is WorkClass.Fp8Gemm or WorkClass.Fp8GroupedGemm).Sum(kernel => kernel.Flops), 1e-6 * Flops(Work.Forward, core: false));
        // A causal kernel does half of the graph's square.
        Assert.Equal(Layers * 128.0 / tensor * (192 + 128) * Sequence * Sequence, Layers * forward.Single(kernel => kernel.Class == WorkClass.AttentionForward).Flops);

        double Sent(Work work) => stage.Ops(work).Where(op => op is AllGatherOp or ReduceScatterOp).Sum(op => costs.Of(op).WireBytes);
        var reckoned = forward.Where(kernel => kernel.Class == WorkClass.NodeExchange).Sum(kernel => kernel.Bytes);
        Assert.Equal(Sent(Work.Forward), Layers * reckoned, 1.0);
        // Both latents and the rotated key to all ranks, the output's partial sums back, and all rows' scores for the balance loss, counted in the width of activations.
        Assert.Equal((tensor - 1.0) / tensor * Sequence * 2 * (1536 + 512 + 64 + 7168 + 256), reckoned, 1.0);
        Assert.Equal(
            Sent(Work.InputGradient),
            Layers * layer.Attention.BackwardInput.Concat(layer.FeedForward.BackwardInput).Where(kernel => kernel.Class == WorkClass.NodeExchange).Sum(kernel => kernel.Bytes), 1.0);
    }

    /// <summary>Heads' projections: queries and keys of 128 + 64, values of 128, from latents of 1536 and 512, and from all heads to 7168.</summary>
    private const double DividedParameters = 128.0 * (1536 * 192 + 512 * (128 + 128) + 128 * 7168);

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void A_rank_keeps_what_its_graph_saves(int tensor)
    {
        var run = Runs.DeepSeekV3;
        var layer = TrainingWork.Of(run.Model, run.Precision, Sequence, tensor).Layers[20];
        var stage = TrainingGraph.OfStage(run.Model, run.Precision, Sequence, new ParallelLayout(16, 5, tensor, expert: 1, data: 64));
        var saved = stage.Saved.Where(value => value.Layer == 20).Sum(value => value.Bytes(Sequence / tensor));
        Assert.Equal(saved, layer.Memory.Saved.On(1), 1.0);
        // With eight experts a token and eight ranks, rows of experts are as many as gathered ones, and yet are told apart.
        var one = TrainingWork.Of(run.Model, run.Precision, Sequence).Layers[20];
        Assert.Equal(one.Memory.Saved.Routed / tensor, layer.Memory.Saved.Routed, 1.0);
    }

    [Fact]
    public void Only_heads_are_divided_so_that_two_ranks_save_little_of_the_weights()
    {
        var run = Runs.DeepSeekV3 with { Parallel = Runs.DeepSeekV3.Parallel with { Expert = 32 } };
        var two = run with { Parallel = run.Parallel with { Tensor = 2 } };
        var (alone, shared) = (TrainingPlan.Of(run).Memory.Ranks[4], TrainingPlan.Of(two).Memory.Ranks[4]);
        double Of(Memory.RankMemory rank, string name) => rank.Consumers.Single(consumer => consumer.Name == name).Bytes;
        // FP8 weights lie there twice, with a scale for each block; eight layers on a rank under DualPipe.
        var saved = 8 * DividedParameters / 2 * 2 * (1 + 4 / (128.0 * 128));
        Assert.Equal(saved, Of(alone, "weights") - Of(shared, "weights"), 0.01 * saved);
        Assert.InRange(Of(shared, "activations") / Of(alone, "activations"), 0.4, 0.7);
    }
}
