using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Simulation.Time;

/// <summary>
/// What follows a rank's part of the pipeline, seconds: gradients are summed over the ranks that hold a weight, each updates its part, all get
/// the result. A rank sums as soon as its program has ended; it updates when all have, as the gradients' norm is everybody's.
/// </summary>
/// <param name="Reduce">Of gradients, through the network adapter.</param>
/// <param name="Update">Of master weights and moments, through the memory.</param>
/// <param name="Gather">Of new weights in the format that kernels read.</param>
public sealed record OptimizerStep(double Reduce, double Update, double Gather)
{
    /// <param name="stages">That the rank holds.</param>
    public static OptimizerStep Of(TrainSpec train, Schedule schedule, IReadOnlyList<Stage> stages, int replicas, EfficiencyTable efficiencies)
    {
        var state = train.Precision.State;
        var link = AllToAll.NicRate(train.Cluster);
        if (link == 0 || train.Cluster.Nodes == 1) link = train.Cluster.Node.NvlinkBytesPerSecond;
        link *= efficiencies.Of(WorkClass.Collective).Value;
        var memory = train.Cluster.Gpu.MemoryBytesPerSecond * efficiencies.Of(WorkClass.Stream).Value;
        double reduced = 0, gathered = 0, updated = 0;
        foreach (var block in stages.SelectMany(stage => stage.Blocks))
            foreach (var weights in block.Weights.Where(weights => !weights.Shared || block.Kind != BlockKind.Mtp))
            {
                var parameters = weights.Parameters / (weights.Routed ? train.Parallel.Expert : 1);
                var holders = weights.Holders((double)replicas * schedule.Placement.Pipes, train.Parallel);
                var moved = parameters * (holders - 1) / holders;
                reduced += moved * FormatBytes.Of(state.Gradients);
                gathered += moved * (weights.Type == DType.E4M3 ? 1 : weights.Type.Bytes());
                var own = train.Parallel.Data == DataSharding.Replicated ? parameters : parameters / holders;
                // Gradient, master twice, both moments twice, the new weight.
                updated += own * (FormatBytes.Of(state.Gradients) + 2 * FormatBytes.Of(state.Master)
                    + 4 * FormatBytes.Of(state.Moments) + weights.Type.Bytes());
            }
        return new OptimizerStep(reduced / link, updated / memory, gathered / link);
    }

    public double Seconds => Reduce + Update + Gather;

    /// <summary>From the end of the pipeline to the end of the step.</summary>
    public static double Exposed(Timeline timeline, IReadOnlyList<OptimizerStep> ranks)
    {
        var summed = 0.0;
        for (var rank = 0; rank < ranks.Count; rank++) summed = Math.Max(summed, timeline.End(rank) + ranks[rank].Reduce);
        return summed + ranks.Max(step => step.Update + step.Gather) - timeline.Makespan;
    }
}
