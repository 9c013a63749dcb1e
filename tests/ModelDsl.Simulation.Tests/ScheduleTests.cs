using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Simulation.Tests;

/// <summary>Programs, makespans and bubbles as published or derived independently from the published rule.</summary>
public class ScheduleTests
{
    [Theory]
    [InlineData(0, "F0 F0 F0 F1 Bi1 W F1 FB01 FB10 B1 FB10 B1 Bi0 W Bi0 W")]
    [InlineData(1, "F0 F1 F0 F1 F0 B1 FB10 FB01 FB10 B1 B0 Bi1 Bi0 W W")]
    [InlineData(2, "F0 F1 F0 F1 F0 B1 FB10 FB01 FB10 B1 B0 Bi1 Bi0 W W")]
    [InlineData(3, "F0 F0 F0 F1 Bi1 W F1 FB01 FB10 B1 FB10 B1 Bi0 W Bi0 W")]
    public void DualPipe_of_four_ranks_and_eight_micro_batches(int rank, string program) =>
        Assert.Equal(program, string.Join(' ', ScheduleCatalogue.Make("dualpipe", 4, 8).Programs[rank]));

    [Theory]
    [InlineData(2, 4, 1, 1, 1, 3, 12, 0, 0, 0)]
    [InlineData(2, 4, 1, 1, 1, 2.5, 11.5, 0, 0, 0)]
    [InlineData(4, 8, 1, 1, 1, 3, 26, 2, 2, 2)]
    [InlineData(4, 8, 1, 1, 1, 2.5, 24, 1.5, 1.5, 1.5)]
    [InlineData(4, 8, 1, 1, 1, 2, 22, 1, 1, 1)]
    [InlineData(8, 16, 1, 1, 1, 3, 54, 6, 6, 6)]
    [InlineData(8, 16, 1, 1, 1, 2.5, 49, 3.5, 4.5, 4.5)]
    [InlineData(8, 16, 1, 1, 1, 2, 44, 1, 3, 3)]
    [InlineData(8, 20, 1, 1, 1, 2.5, 59, 3.5, 4.5, 4.5)]
    [InlineData(16, 120, 1, 1, 1, 3, 374, 14, 14, 14)]
    [InlineData(16, 120, 1, 1, 1, 2.5, 319, 7.5, 10.5, 10.5)]
    [InlineData(16, 120, 1, 1, 1, 2, 264, 1, 7, 7)]
    [InlineData(8, 20, 49, 52, 32, 143, 3154, 384, 404, 393)]
    public void DualPipe_runs_as_long_as_the_published_rule_says(
        int ranks, int batches, double f, double bi, double w, double fb, double makespan, double least, double most, double formula)
    {
        var times = new OpTimes(f, bi, w, fb);
        var schedule = ScheduleCatalogue.Make("dualpipe", ranks, batches);
        var timeline = ScheduleSimulation.Run(schedule, times);
        var bubbles = Enumerable.Range(0, ranks).Select(timeline.Bubble).ToArray();
        Assert.Equal((makespan, least, most), (timeline.Makespan, bubbles.Min(), bubbles.Max()));
        Assert.Equal(formula, BubbleFormula.Of(schedule, times).Value);
    }

    [Theory]
    [InlineData(8, 10, 66, 59, 52, 9)]
    [InlineData(16, 60, 374, 319, 264, 17)]
    public void DualPipeV_runs_like_DualPipe_of_as_many_stages(int stages, int batches, double slow, double middle, double fast, int peak)
    {
        var schedule = ScheduleCatalogue.Make("dualpipev", stages, batches);
        foreach (var (fb, makespan) in new[] { (3, slow), (2.5, middle), (2.0, fast) })
        {
            var times = new OpTimes(1, 1, 1, fb);
            var timeline = ScheduleSimulation.Run(schedule, times);
            Assert.Equal(makespan, timeline.Makespan);
            Assert.Equal(BubbleFormula.Of(schedule, times).Value, Enumerable.Range(0, schedule.Ranks).Max(timeline.Bubble));
        }
        Assert.All(Enumerable.Range(0, schedule.Ranks), rank => Assert.Equal(peak, ScheduleValidator.PeakLive(schedule, rank)));
    }

    /// <summary>Every even pipeline up to 32, at and above the fewest micro-batches: sound, P + 1 live, h + 1 weight gradients waiting.</summary>
    [Fact]
    public void Every_DualPipe_is_sound()
    {
        for (var ranks = 2; ranks <= 32; ranks += 2)
            foreach (var batches in new[] { 2 * ranks, 2 * ranks + 2, 4 * ranks + 6 })
            {
                var schedule = ScheduleCatalogue.Make("dualpipe", ranks, batches);
                Assert.Empty(ScheduleValidator.Violations(schedule));
                var timeline = ScheduleSimulation.Run(schedule, new OpTimes(1, 1, 1, 2.5));
                Assert.Equal((ranks / 2 - 1) * 1.5, Enumerable.Range(0, ranks).Max(timeline.Bubble));
                for (var rank = 0; rank < ranks; rank++)
                {
                    var (h, half) = (Math.Min(rank, ranks - 1 - rank), ranks / 2);
                    var middle = h == half - 1 ? 1 : 0;
                    int Count(OpKind kind) => schedule.Programs[rank].Count(op => op.Kind == kind);
                    Assert.True(schedule.Programs[ranks - 1 - rank].SequenceEqual(schedule.Programs[rank]));
                    Assert.Equal((ranks + 1, h + 1), (ScheduleValidator.PeakLive(schedule, rank), ScheduleValidator.PeakDeferred(schedule, rank)));
                    Assert.Equal((3 * half - h - 1 + middle, batches - 3 * half + h + 1 - middle), (Count(OpKind.Forward), Count(OpKind.Overlapped)));
                    Assert.Equal((2 * half - h - 1, 2 * half - h - 1), (Count(OpKind.BackwardInput), Count(OpKind.BackwardWeight)));
                    Assert.Equal(half + middle, Count(OpKind.Backward));
                }
            }
    }

    [Theory]
    [InlineData("1f1b", 8, 20, 21, 8)]
    [InlineData("1f1b", 16, 120, 45, 16)]
    [InlineData("zb1p", 8, 20, 7, 8)]
    [InlineData("zb1p", 16, 120, 15, 16)]
    [InlineData("gpipe", 8, 20, 21, 20)]
    public void One_way_schedules_have_their_published_bubbles(string name, int ranks, int batches, double bubble, int live)
    {
        var (schedule, times) = (ScheduleCatalogue.Make(name, ranks, batches), new OpTimes(1, 1, 1, 3));
        Assert.Empty(ScheduleValidator.Violations(schedule));
        var timeline = ScheduleSimulation.Run(schedule, times);
        Assert.All(Enumerable.Range(0, ranks), rank => Assert.Equal(bubble, timeline.Bubble(rank)));
        Assert.Equal(bubble, BubbleFormula.Of(schedule, times).Value);
        Assert.Equal(live, Enumerable.Range(0, ranks).Max(rank => ScheduleValidator.PeakLive(schedule, rank)));
    }

    /// <summary>Two stages of half the size on each of four ranks: half of 1F1B's bubble.</summary>
    [Fact]
    public void Interleaving_halves_the_bubble()
    {
        var schedule = ScheduleCatalogue.Make("interleaved", 8, 12);
        Assert.Empty(ScheduleValidator.Violations(schedule));
        var timeline = ScheduleSimulation.Run(schedule, new OpTimes(0.5, 0.5, 0.5, 1.5));
        Assert.All(Enumerable.Range(0, 4), rank => Assert.Equal(3 * 1.5, timeline.Bubble(rank)));
    }

    [Theory]
    [InlineData("dualpipe", 5, 20, "even number of stages, not 5")]
    [InlineData("dualpipe", 8, 17, "even number of micro-batches, not 17")]
    [InlineData("dualpipe", 8, 14, "at least 16 micro-batches for 8 stages, not 14")]
    [InlineData("dualpipev", 8, 7, "at least 8 micro-batches")]
    [InlineData("interleaved", 8, 6, "multiple of its 4 ranks")]
    [InlineData("pipedream", 8, 8, "no schedule 'pipedream'")]
    [InlineData("1f1b", 0, 8, "at least one stage")]
    public void What_cannot_be_scheduled_says_why(string name, int stages, int batches, string why) =>
        Assert.Contains(why, ScheduleCatalogue.Problem(name, stages, batches));

    [Fact]
    public void The_validator_sees_what_is_missing_and_what_never_comes()
    {
        var good = ScheduleCatalogue.Make("dualpipe", 4, 8);
        Schedule With(int rank, params ScheduleOp[] program) => good with { Programs = good.Programs.SetItem(rank, [.. program]) };
        var own = good.Programs[0];
        Assert.Contains("rank 0 leaves 1 weight gradients undone", ScheduleValidator.Violations(With(0, [.. own.RemoveAt(own.Length - 1)])));
        Assert.Contains("rank 0 does a W before there is one to do", ScheduleValidator.Violations(With(0, [ScheduleOp.W, .. own])));
        Assert.Contains("rank 0 does 5 forwards of its part 0 for 4 micro-batches", ScheduleValidator.Violations(With(0, [.. own, ScheduleOp.F(0)])));
        Assert.Contains(
            ScheduleValidator.Violations(With(0, [ScheduleOp.B(0), .. own.Skip(1)])), text => text.StartsWith("rank 0 waits for ever at B0", StringComparison.Ordinal));
    }
}
