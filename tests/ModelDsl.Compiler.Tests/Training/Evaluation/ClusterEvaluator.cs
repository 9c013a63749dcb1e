using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Passes.Shard;

namespace ModelDsl.Compiler.Tests.Training.Evaluation;

/// <summary>
/// All ranks of one stage in step with each other: rank <c>d * tensor + t</c> has part t of the sequences of pipeline d.
/// </summary>
internal sealed class ClusterEvaluator(IReadOnlyList<GraphEvaluator> ranks, ParallelLayout layout, Dictionary<string, Tensor> mail)
{
    public IReadOnlyList<GraphEvaluator> Ranks => ranks;

    public void Run(IEnumerable<Op> ops)
    {
        foreach (var op in Steps(ops)) Assert.Fail($"{GraphPrinter.Print(op)} waits for other stages.");
    }

    /// <summary>Stops at every op that other stages take part in; who goes on has its results.</summary>
    public IEnumerable<AllReduceOp> Steps(IEnumerable<Op> ops)
    {
        foreach (var op in ops)
        {
            if (op is AllReduceOp { Group.Axis: CommAxis.Ends or CommAxis.World } meeting) yield return meeting;
            else Execute(op);
        }
    }

    private void Execute(Op op)
    {
        switch (op)
        {
            case AllGatherOp gather:
                foreach (var group in Groups(gather.Group))
                {
                    var all = group.SelectMany(rank => rank[gather.X].Data).ToArray();
                    foreach (var rank in group) rank.Set(gather.Result, Whole(all, rank[gather.X], gather.Result.Type));
                }

                break;
            case ReduceScatterOp scatter:
                foreach (var group in Groups(scatter.Group))
                {
                    var sum = group.Select(rank => rank[scatter.X]).Aggregate((a, b) => a + b);
                    for (var i = 0; i < group.Count; i++) group[i].Set(scatter.Result, Part(sum, i, group.Count, scatter.Result.Type));
                }

                break;
            case AllReduceOp reduce:
                foreach (var group in Groups(reduce.Group))
                {
                    var sum = group.Select(rank => rank[reduce.X]).Aggregate((a, b) => a + b);
                    foreach (var rank in group) rank.Set(reduce.Result, sum);
                }

                break;
            case OwnRowsOp own:
                foreach (var group in Groups(own.Group))
                    for (var i = 0; i < group.Count; i++)
                        group[i].Set(own.Result, Part(group[i][own.X], i, group.Count, own.Result.Type));
                break;
            case ExchangeCountsOp exchange:
                foreach (var group in Groups(exchange.Group)) Exchange(exchange, group);
                break;
            case AllToAllOp travel:
                foreach (var group in Groups(travel.Group)) Travel(travel, group);
                break;
            case SendOp send:
                for (var i = 0; i < ranks.Count; i++) mail[$"{layout.Stage}>{send.To} {send.Slot} {i}"] = ranks[i][send.X];
                break;
            case RecvOp receive:
                for (var i = 0; i < ranks.Count; i++) ranks[i].Set(receive.Result, mail[$"{receive.From}>{layout.Stage} {receive.Slot} {i}"]);
                break;
            default:
                foreach (var rank in ranks) rank.Run([op]);
                break;
        }
    }

    private List<List<GraphEvaluator>> Groups(CommGroup group)
    {
        var groups = ranks.Select((rank, i) => (rank, Key: group.Axis switch
        {
            CommAxis.Tensor => i / layout.Tensor,
            CommAxis.Expert => i / layout.Expert,
            CommAxis.Data => i % layout.Tensor,
            CommAxis.ExpertReplica => i % layout.Expert,
            CommAxis.Replica => 0,
            _ => throw new InvalidOperationException($"{group} is no group of one stage."),
        })).GroupBy(entry => entry.Key, entry => entry.rank).Select(entries => entries.ToList()).ToList();
        Assert.All(groups, members => Assert.Equal(group.Size, members.Count));
        return groups;
    }

    private static Tensor Whole(double[] all, Tensor part, TensorType type)
    {
        if (type.Elements.Constant is { } elements)
            return new Tensor([.. type.Shape.Select(size => (int)size.Constant!.Value)], all[..(int)elements]);
        return new Tensor([all.Length / (part.Data.Length / part.Rows), .. part.Shape[1..]], all);
    }

    private static Tensor Part(Tensor whole, int index, int count, TensorType type)
    {
        var size = (int)(type.Elements.Constant ?? whole.Data.Length / count);
        var data = whole.Data.Skip(index * size).Take(size).ToArray();
        Array.Resize(ref data, size);
        return type.Elements.Constant is null ? new Tensor([whole.Rows / count, .. whole.Shape[1..]], data) : new Tensor([size], data);
    }

    private static void Exchange(ExchangeCountsOp op, List<GraphEvaluator> group)
    {
        var experts = op.Counts.Type.Width;
        for (var receiver = 0; receiver < group.Count; receiver++)
        {
            var (counts, offsets) = (new Tensor(group.Count, experts), new Tensor(experts + 1));
            for (var expert = 0; expert < experts; expert++)
            {
                for (var sender = 0; sender < group.Count; sender++)
                {
                    var (start, end) = Rows(group[sender][op.Offsets], receiver * experts + expert);
                    counts[sender, expert] = end - start;
                }

                offsets.Data[expert + 1] = offsets.Data[expert] + Enumerable.Range(0, group.Count).Sum(sender => counts[sender, expert]);
            }

            group[receiver].Set(op.Counts, counts);
            group[receiver].Set(op.LocalOffsets, offsets);
            group[receiver].Set(op.TileExpert, new Tensor(0));
            group[receiver].Set(op.TileRow, new Tensor(0));
        }
    }

    /// <summary>Rows arrive expert by expert, within one by sender.</summary>
    private static void Travel(AllToAllOp op, List<GraphEvaluator> group)
    {
        var width = op.X.Type.Width;
        var experts = group[0][op.Counts].Width;
        var results = group.Select(rank => new List<(int Place, double[] Row)>()).ToArray();
        for (var owner = 0; owner < group.Count; owner++)
        {
            var place = 0;
            for (var expert = 0; expert < experts; expert++)
                for (var token = 0; token < group.Count; token++)
                {
                    var (start, end) = Rows(group[token][op.Offsets], owner * experts + expert);
                    for (var row = start; row < end; row++, place++)
                        if (op.Back) results[token].Add((row, group[owner][op.X].Row(place).ToArray()));
                        else results[owner].Add((place, group[token][op.X].Row(row).ToArray()));
                }
        }

        for (var i = 0; i < group.Count; i++)
            group[i].Set(op.Result, new Tensor([results[i].Count, width], [.. results[i].OrderBy(entry => entry.Place).SelectMany(entry => entry.Row)]));
    }

    private static (int Start, int End) Rows(Tensor offsets, int expert) => (offsets.Int(expert), offsets.Int(expert + 1));
}
