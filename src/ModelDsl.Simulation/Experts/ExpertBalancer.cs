namespace ModelDsl.Simulation.Experts;

/// <summary>
/// The published expert load balancer (V3 report, section 3.4; EPLB): heavy experts get replicas, and replicas are packed so that GPUs
/// are loaded alike. Where groups divide evenly among nodes, a group stays within a node, and so does its traffic.
/// </summary>
public static class ExpertBalancer
{
    /// <summary>Why a layer cannot be balanced so; null: it can.</summary>
    public static string? Problem(int experts, int replicas, int groups, int nodes, int gpus) =>
        experts < 1 || groups < 1 || nodes < 1 || gpus < 1 ? "experts, groups, nodes and GPUs are at least 1"
        : experts % groups != 0 ? $"{groups} groups do not divide {experts} experts"
        : gpus % nodes != 0 ? $"{nodes} nodes do not divide {gpus} GPUs"
        : replicas % gpus != 0 ? $"{gpus} GPUs do not divide {replicas} replicas"
        : replicas < experts ? $"{replicas} replicas are less than one for each of {experts} experts"
        : null;

    /// <param name="loads">Of each expert, such as tokens routed to it.</param>
    /// <param name="replicas">Slots on all GPUs together.</param>
    /// <exception cref="ArgumentException">There is a <see cref="Problem"/>.</exception>
    public static ExpertPlacement Balance(IReadOnlyList<float> loads, int replicas, int groups, int nodes, int gpus)
    {
        if (Problem(loads.Count, replicas, groups, nodes, gpus) is { } problem) throw new ArgumentException(problem);
        // Groups that nodes cannot share evenly are no help: the whole cluster then counts as one node with one group.
        if (groups % nodes != 0) (groups, nodes) = (1, 1);

        var slots = new int[replicas];
        var byExpert = loads.Select(_ => new SortedDictionary<int, int>()).ToArray();
        var (nodeSlots, gpuSlots) = (replicas / nodes, replicas / gpus);
        foreach (var (experts, node) in ByNode(loads, groups, nodes).Select((experts, node) => (experts, node)))
        {
            var copies = Replicate([.. experts.Select(expert => loads[expert])], nodeSlots);
            var shares = copies.Select(copy => loads[experts[copy.Item]] / copies.Count(other => other.Item == copy.Item)).ToArray();
            var packed = Pack(shares, gpus / nodes);
            for (var i = 0; i < copies.Length; i++)
            {
                var slot = node * nodeSlots + packed[i].Bin * gpuSlots + packed[i].Rank;
                slots[slot] = experts[copies[i].Item];
                byExpert[slots[slot]].Add(copies[i].Replica, slot);
            }
        }

        var gpuLoads = new double[gpus];
        for (var slot = 0; slot < replicas; slot++) gpuLoads[slot / gpuSlots] += loads[slots[slot]] / byExpert[slots[slot]].Count;
        return new ExpertPlacement(slots, [.. byExpert.Select(places => places.Values.ToArray())], gpuLoads);
    }

    /// <summary>The experts of each node, group by group.</summary>
    private static int[][] ByNode(IReadOnlyList<float> loads, int groups, int nodes)
    {
        var size = loads.Count / groups;
        var groupLoads = Enumerable.Range(0, groups).Select(group => Enumerable.Range(group * size, size).Sum(expert => loads[expert])).ToArray();
        var packed = Pack(groupLoads, nodes);
        var order = new int[nodes, groups / nodes];
        for (var group = 0; group < groups; group++) order[packed[group].Bin, packed[group].Rank] = group;
        return
        [
            .. Enumerable.Range(0, nodes).Select(node => Enumerable.Range(0, groups / nodes)
                .SelectMany(rank => Enumerable.Range(order[node, rank] * size, size)).ToArray()),
        ];
    }

    /// <summary>Puts the same number of items in each bin: the heaviest item first, always into the lightest bin that has room.</summary>
    private static (int Bin, int Rank)[] Pack(float[] weights, int bins)
    {
        var room = weights.Length / bins;
        if (room == 1) return [.. weights.Select((_, i) => (i, 0))];
        var places = new (int, int)[weights.Length];
        var (load, count) = (new float[bins], new int[bins]);
        foreach (var item in Enumerable.Range(0, weights.Length).OrderByDescending(i => weights[i]))
        {
            var bin = Enumerable.Range(0, bins).Where(bin => count[bin] < room).MinBy(bin => load[bin]);
            places[item] = (bin, count[bin]++);
            load[bin] += weights[item];
        }
        return places;
    }

    /// <summary>One copy of each item, then copy by copy of the item whose copies carry the most.</summary>
    private static (int Item, int Replica)[] Replicate(float[] weights, int total)
    {
        var counts = weights.Select(_ => 1).ToArray();
        List<(int, int)> copies = [.. weights.Select((_, i) => (i, 0))];
        while (copies.Count < total)
        {
            var heaviest = Enumerable.Range(0, weights.Length).MaxBy(i => weights[i] / counts[i]);
            copies.Add((heaviest, counts[heaviest]++));
        }
        return [.. copies];
    }
}
