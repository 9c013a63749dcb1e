using System.Collections.Immutable;

namespace ModelDsl.Simulation.Schedules;

/// <summary>
/// DualPipe (V3 report, section 3.2.1) and DualPipeV: two streams of stages cross in every rank, so that the forward of one hides behind
/// the backward of the other. Both have the same eight steps; they differ in how many ranks a stream passes.
/// </summary>
internal static class DualPipe
{
    /// <summary>Micro-batches enter at both ends; rank r holds stage r of one direction and stage P - 1 - r of the other.</summary>
    public static Schedule Bidirectional(int ranks, int microBatches)
    {
        var placement = new Placement(Pipes: 2, Stages: ranks, PartsPerRank: 2, (rank, part) =>
        {
            // Part 0 is the direction that enters at the rank's own end.
            var pipe = rank < ranks / 2 ? part : 1 - part;
            return (pipe, pipe == 0 ? rank : ranks - 1 - rank);
        });
        var programs = Enumerable.Range(0, ranks)
            .Select(rank => Program(Math.Min(rank, ranks - 1 - rank), ranks / 2, microBatches / 2 - ranks))
            .ToImmutableArray();
        return new Schedule("dualpipe", microBatches, placement, programs);
    }

    /// <summary>One direction that turns at the last rank; rank r holds stages r and 2R - 1 - r of one model.</summary>
    public static Schedule Folded(int ranks, int microBatches)
    {
        var placement = new Placement(
            Pipes: 1, Stages: 2 * ranks, PartsPerRank: 2, (rank, part) => (0, part == 0 ? rank : 2 * ranks - 1 - rank));
        var programs = Enumerable.Range(0, ranks).Select(rank => Program(rank, ranks, microBatches - 2 * ranks)).ToImmutableArray();
        return new Schedule("dualpipev", microBatches, placement, programs);
    }

    /// <param name="depth">How far the rank is from the end where its own direction enters.</param>
    /// <param name="half">Ranks from that end to where the streams meet.</param>
    /// <param name="spare">Rounds of overlapped pairs beyond those of the shortest step, less <paramref name="depth"/> and one.</param>
    private static ImmutableArray<ScheduleOp> Program(int depth, int half, int spare)
    {
        var program = ImmutableArray.CreateBuilder<ScheduleOp>();
        var rest = half - depth - 1;
        void Repeat(int times, Action<int> round)
        {
            for (var i = 0; i < times; i++) round(i);
        }

        Repeat(2 * rest, _ => program.Add(ScheduleOp.F(0)));
        Repeat(depth + 1, _ => program.AddRange(ScheduleOp.F(0), ScheduleOp.F(1)));
        Repeat(rest, _ => program.AddRange(ScheduleOp.B(1, inputOnly: true), ScheduleOp.W, ScheduleOp.F(1)));
        Repeat(spare + depth + 1, i =>
        {
            // Where the streams meet, the first pair would wait for its forward's input: apart, its backward starts sooner.
            if (i == 0 && rest == 0) program.AddRange(ScheduleOp.F(0), ScheduleOp.B(1));
            else program.Add(ScheduleOp.FB(0, 1));
            program.Add(ScheduleOp.FB(1, 0));
        });
        Repeat(rest, _ => program.AddRange(ScheduleOp.B(1), ScheduleOp.FB(1, 0)));

        // From the middle of the cool-down on, weight gradients wait, so that input gradients reach the other ranks sooner.
        var later = (depth + 1) / 2;
        Repeat(depth + 1, i =>
        {
            program.Add(ScheduleOp.B(1, inputOnly: i > later || (i == later && depth % 2 == 1)));
            program.Add(ScheduleOp.B(0, inputOnly: i >= later));
        });
        Repeat(rest, _ => program.AddRange(ScheduleOp.W, ScheduleOp.B(0, inputOnly: true)));
        Repeat(depth + 1, _ => program.Add(ScheduleOp.W));
        return program.ToImmutable();
    }
}
