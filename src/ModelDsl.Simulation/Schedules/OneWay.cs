using System.Collections.Immutable;

namespace ModelDsl.Simulation.Schedules;

/// <summary>The schedules in which micro-batches enter at the first rank alone.</summary>
internal static class OneWay
{
    /// <summary>All forwards, then all backwards (arXiv 1811.06965).</summary>
    public static Schedule GPipe(int ranks, int microBatches) => Of("gpipe", ranks, microBatches, _ =>
    [
        .. Enumerable.Repeat(ScheduleOp.F(0), microBatches), .. Enumerable.Repeat(ScheduleOp.B(0), microBatches),
    ]);

    /// <summary>As many forwards as ranks follow, then one forward, one backward (arXiv 2104.04473).</summary>
    public static Schedule OneForwardOneBackward(int ranks, int microBatches) => Of("1f1b", ranks, microBatches, rank =>
    {
        var ahead = Math.Min(ranks - 1 - rank, microBatches);
        return
        [
            .. Enumerable.Repeat(ScheduleOp.F(0), ahead),
            .. Enumerable.Range(0, microBatches - ahead).SelectMany(_ => new[] { ScheduleOp.F(0), ScheduleOp.B(0) }),
            .. Enumerable.Repeat(ScheduleOp.B(0), ahead),
        ];
    });

    /// <summary>1F1B whose weight gradients fill what was bubble: rank r lets r of them wait (arXiv 2401.10241, ZB-H1).</summary>
    public static Schedule ZeroBubble(int ranks, int microBatches) => Of("zb1p", ranks, microBatches, rank =>
    {
        var program = new List<ScheduleOp>();
        var ahead = Math.Min(ranks - 1 - rank, microBatches);
        program.AddRange(Enumerable.Repeat(ScheduleOp.F(0), ahead));
        for (var i = 0; i < microBatches; i++)
        {
            if (i < microBatches - ahead) program.Add(ScheduleOp.F(0));
            program.Add(ScheduleOp.B(0, inputOnly: true));
            if (i >= rank) program.Add(ScheduleOp.W);
        }
        program.AddRange(Enumerable.Repeat(ScheduleOp.W, Math.Min(rank, microBatches)));
        return program;
    });

    /// <summary>1F1B with several stages per rank, visited in turn (arXiv 2104.04473, section 2.2).</summary>
    /// <param name="parts">Stages per rank; micro-batches are a multiple of the ranks.</param>
    public static Schedule Interleaved(int ranks, int microBatches, int parts)
    {
        var placement = new Placement(1, ranks * parts, parts, (rank, part) => (0, part * ranks + rank));
        var total = microBatches * parts;
        ScheduleOp Forward(int i) => ScheduleOp.F(i % (ranks * parts) / ranks);
        ScheduleOp Backward(int i) => ScheduleOp.B(parts - 1 - i % (ranks * parts) / ranks);
        return new Schedule("interleaved", microBatches, placement,
        [
            .. Enumerable.Range(0, ranks).Select(rank =>
            {
                var ahead = Math.Min(2 * (ranks - 1 - rank) + (parts - 1) * ranks, total);
                return (ImmutableArray<ScheduleOp>)
                [
                    .. Enumerable.Range(0, ahead).Select(Forward),
                    .. Enumerable.Range(0, total - ahead).SelectMany(i => new[] { Forward(ahead + i), Backward(i) }),
                    .. Enumerable.Range(total - ahead, ahead).Select(Backward),
                ];
            }),
        ]);
    }

    private static Schedule Of(string name, int ranks, int microBatches, Func<int, IEnumerable<ScheduleOp>> program) => new(
        name, microBatches, new Placement(1, ranks, 1, (rank, _) => (0, rank)),
        [.. Enumerable.Range(0, ranks).Select(rank => program(rank).ToImmutableArray())]);
}
