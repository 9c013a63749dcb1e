using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Experts;
using ModelDsl.Simulation.Network;

namespace ModelDsl.Simulation.Serving;

/// <summary>How evenly a layer's experts load the GPUs of a unit: the heaviest GPU beside the mean.</summary>
/// <param name="Without">No copies, experts in their order; null where they do not divide among the ranks.</param>
/// <param name="ByNode">Copies by the balancer that keeps a group within a node; null where groups do not divide among nodes.</param>
/// <param name="Global">Copies by the balancer that knows no groups.</param>
/// <param name="MostCopies">Of one expert.</param>
public sealed record ExpertSpread(int Experts, int Redundant, int Ranks, double? Without, double? ByNode, double Global, int MostCopies)
{
    /// <summary>What the deployment gets: traffic stays within nodes where it can.</summary>
    public double Imbalance => ByNode ?? Global;

    public static ExpertSpread? Of(ServeSpec serve, ServePhase phase, RoutingLoad loads)
    {
        if (serve.Model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().FirstOrDefault() is not { } moe) return null;
        var (ranks, replicas, perNode) = (phase.Experts.Expert, moe.Routed + phase.Experts.Redundant, serve.Cluster.Node.Gpus);
        var nodes = ranks % perNode == 0 ? ranks / perNode : 1;
        var groups = moe.Groups?.Count ?? 1;
        var layer = Capped(loads, moe);
        var global = ExpertBalancer.Balance(layer, replicas, 1, 1, ranks);
        double? Hierarchical() => groups % nodes != 0 || nodes == 1 || ExpertBalancer.Problem(moe.Routed, replicas, groups, nodes, ranks) is not null
            ? null
            : Heaviest(ExpertBalancer.Balance(layer, replicas, groups, nodes, ranks).GpuLoads);
        double? plain = moe.Routed % ranks == 0
            ? Heaviest([.. Enumerable.Range(0, ranks).Select(rank => (double)layer.Skip(rank * (moe.Routed / ranks)).Take(moe.Routed / ranks).Sum())])
            : null;
        return new ExpertSpread(moe.Routed, phase.Experts.Redundant, ranks, plain, Hierarchical(), Heaviest(global.GpuLoads), global.ReplicaCounts.Max());
    }

    /// <summary>No expert gets a token twice.</summary>
    private static float[] Capped(RoutingLoad loads, MoeSpec moe)
    {
        var layer = loads.Layers.IsDefaultOrEmpty || loads.Layers[0].Length != moe.Routed ? [.. Enumerable.Repeat(1.0, moe.Routed)] : loads.Layers[0].ToArray();
        var most = layer.Sum() / moe.Active;
        return [.. layer.Select(load => (float)Math.Min(load, most))];
    }

    private static double Heaviest(double[] loads) => loads.Max() / loads.Average();
}
