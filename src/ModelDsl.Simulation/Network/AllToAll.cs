using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Network;

/// <summary>One exchange of tokens, hop by hop: over the network to the GPU of the same place in the other node, then within the node.</summary>
/// <param name="Format">Of what travels.</param>
/// <param name="BytesPerToken">With its scales.</param>
/// <param name="NicBytes">That the fullest GPU sends through its adapter for one micro-batch, once for every node a token goes to.</param>
/// <param name="NvlinkBytes">That it sends within the node, once for every expert.</param>
/// <param name="Seconds">With nothing else running.</param>
/// <param name="SecondsBesideCompute">On the multiprocessors given to communication, while the others compute.</param>
public sealed record Exchange(
    NumberFormat Format, double BytesPerToken, double NicBytes, double NvlinkBytes, double Seconds, double SecondsBesideCompute)
{
    public string Bottleneck(ClusterSpec cluster) =>
        NicBytes / AllToAll.NicRate(cluster) >= NvlinkBytes / cluster.Node.NvlinkBytesPerSecond ? "nic" : "nvlink";
}

/// <summary>A role of the communication kernels and its share of a channel's warps.</summary>
public sealed record WarpRole(string Kernel, string Name, int Warps);

/// <summary>
/// How tokens get to their experts and back (V3 report, section 3.2.2): where to, in which format, how many bytes on which link.
/// </summary>
/// <param name="Nodes">That hold the experts of a layer.</param>
/// <param name="NodesPerToken">That a token goes to, its own among them.</param>
/// <param name="RemoteNodes">Of those, other than its own, on average.</param>
/// <param name="WithoutDeduplication">Bytes through an adapter, were a token sent once for every expert.</param>
/// <param name="FreeExpertsPerNode">Experts of a node that a token can reach while its next node's copy is on the network.</param>
/// <param name="Channels">Pairs of multiprocessors, each with its own queues.</param>
/// <param name="RankLoad">Rows of the heaviest expert rank, beside the mean.</param>
public sealed record AllToAll(
    int Nodes, double NodesPerToken, double RemoteNodes, Exchange Dispatch, Exchange Combine, double WithoutDeduplication,
    double FreeExpertsPerNode, int Channels, ImmutableArray<WarpRole> Roles, double RankLoad, RoutingLoad Routing)
{
    /// <summary>Multiprocessors that moved data when exchanges beside compute were measured: with fewer it takes longer, with more no less.</summary>
    private const double MeasuredSms = 20;

    /// <summary>DeepEP launches blocks of 16 warps, two for a channel.</summary>
    private const int WarpsPerChannel = 32;

    public double NicBytesPerLayer => 2 * (Dispatch.NicBytes + Combine.NicBytes);

    public double NvlinkBytesPerLayer => 2 * (Dispatch.NvlinkBytes + Combine.NvlinkBytes);

    /// <returns>Null where every rank has all experts.</returns>
    public static AllToAll? Of(TrainSpec train, MoeSpec? moe, RoutingLoad routing, EfficiencyTable efficiencies)
    {
        var (cluster, ranks, tokens) = (train.Cluster, train.Parallel.Expert, (double)train.MicroBatchTokens / train.Parallel.Tensor);
        if (moe is null || ranks <= 1) return null;
        var perNode = Math.Min(ranks, cluster.Node.Gpus);
        var nodes = Math.Max(1, ranks / perNode);
        var reached = NodesReached(moe, nodes);
        var remote = reached * (nodes - 1) / nodes;
        var (rankLoad, nodeLoad) = (routing.Heaviest(ranks, moe), routing.Heaviest(nodes, moe));
        var (wire, notice) = (train.Precision.Wire, efficiencies.Of(WorkClass.ExchangeNotice).Value);

        Exchange Make(NumberFormat format, WorkClass alone, WorkClass beside)
        {
            var bytes = train.Model.Hidden * FormatBytes.Of(format);
            var nic = tokens * remote * bytes * nodeLoad;
            var nvlink = tokens * moe.Active * (perNode - 1) / perNode * bytes * rankLoad;
            double Seconds(WorkClass kind, double share) => notice + Math.Max(
                nic == 0 ? 0 : nic / (NicRate(cluster) * efficiencies.Of(kind).Value * share),
                nvlink / (cluster.Node.NvlinkBytesPerSecond * efficiencies.Of(WorkClass.NodeExchange).Value * share));
            var few = train.Schedule.CommSms == 0 ? 1 : Math.Min(1, train.Schedule.CommSms / MeasuredSms);
            return new Exchange(format, bytes, nic, nvlink, Seconds(alone, 1), Seconds(beside, few));
        }

        var dispatch = Make(wire?.Dispatch.Format ?? NumberFormat.Bf16, WorkClass.Dispatch, WorkClass.DispatchBesideCompute);
        var combine = Make(wire?.Combine.Format ?? NumberFormat.Bf16, WorkClass.Combine, WorkClass.CombineBesideCompute);
        return new AllToAll(
            nodes, reached, remote, dispatch, combine, tokens * moe.Active * (nodes - 1) / nodes * dispatch.BytesPerToken,
            cluster.Node.NvlinkBytesPerSecond / NicRate(cluster), Math.Max(1, train.Schedule.CommSms / 2), Warps(dispatch, combine), rankLoad, routing);
    }

    /// <summary>Adapters that a GPU has for itself, bytes per second.</summary>
    public static double NicRate(ClusterSpec cluster) => cluster.Node.NicBytesPerSecond * cluster.Node.Nics / cluster.Node.Gpus;

    /// <summary>At most as many as the groups of node-limited routing allow; else as many as chance makes of independent choices.</summary>
    private static double NodesReached(MoeSpec moe, int nodes) => moe.Groups is { } groups
        ? Math.Min(Math.Min(nodes, moe.Active), Math.Ceiling(groups.Kept * Math.Max(1.0, (double)nodes / groups.Count)))
        : nodes * (1 - Math.Pow(1 - 1.0 / nodes, moe.Active));

    /// <summary>By the bytes that each role moves, at least one warp each.</summary>
    private static ImmutableArray<WarpRole> Warps(Exchange dispatch, Exchange combine) =>
    [
        .. Share("dispatch", ("nic send", dispatch.NicBytes), ("nic to nvlink forward", dispatch.NvlinkBytes), ("nvlink receive", dispatch.NvlinkBytes)),
        .. Share("combine", ("nvlink send", combine.NvlinkBytes), ("nvlink to nic forward and sum", combine.NvlinkBytes), ("nic receive and sum", combine.NicBytes)),
    ];

    private static IEnumerable<WarpRole> Share(string kernel, params (string Name, double Bytes)[] roles)
    {
        var total = roles.Sum(role => role.Bytes);
        var warps = roles.Select(role => total == 0 || role.Bytes == 0 ? 0 : Math.Max(1, (int)Math.Round(WarpsPerChannel * role.Bytes / total))).ToArray();
        for (var i = 0; i < roles.Length; i++)
            if (warps[i] > 0)
                yield return new WarpRole(kernel, roles[i].Name, warps[i]);
    }
}
