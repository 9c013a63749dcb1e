using System.Globalization;
using System.Net;
using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Cli.Output.Page;

/// <summary>
/// A training plan as one page that needs nothing else: the step rank by rank, what hides behind what, memory over time, money and the network,
/// drawn by a script of its own from the plan's figures.
/// </summary>
internal static class PlanPage
{
    /// <summary>Ops of a step beyond which a rank shows its first ones only: a browser has to hold them all.</summary>
    private const int MostOps = 100_000;

    public static string Write(TrainingPlan plan)
    {
        var title = $"{plan.Train.Name}: {plan.Train.Model.Name} on {plan.Train.Cluster.Gpus} GPUs";
        // The encoder writes '<' as an escape, so that no text of a plan ends the element that holds it.
        var data = JsonSerializer.Serialize(Data(plan, title));
        return Resource("page.html").Replace("{{title}}", WebUtility.HtmlEncode(title), StringComparison.Ordinal)
            .Replace("{{style}}", Resource("page.css"), StringComparison.Ordinal).Replace("{{script}}", Resource("page.js"), StringComparison.Ordinal)
            .Replace("{{data}}", data, StringComparison.Ordinal);
    }

    private static object Data(TrainingPlan plan, string title) => new
    {
        title,
        subtitle = PlanProse.Subtitle(plan),
        verdicts = PlanProse.Verdicts(plan),
        step = new { makespan = plan.Timeline.Makespan, lead = PlanProse.Step(plan) + Omitted(plan), explain = PlanProse.StepExplained(plan) },
        schedule = new { name = plan.Schedule.Name, parts = plan.Schedule.Placement.PartsPerRank, pipes = plan.Schedule.Placement.Pipes },
        ranks = Enumerable.Range(0, plan.Schedule.Ranks).Select(rank => Rank(plan, rank)),
        overlapLead = PlanProse.Overlap(plan),
        pair = plan.Pair is not { } pair ? null : new
        {
            span = pair.Span,
            lanes = new[] { "compute", "communication" },
            segments = pair.Segments.Select(segment => new object[] { (int)segment.Lane, segment.Name, segment.Layer, segment.Start, segment.End, segment.Waited }),
        },
        memoryLead = PlanProse.Memory(plan),
        memory = Memory(plan),
        timeLead = PlanProse.Time(plan),
        parts = Parts(plan),
        cost = Cost(plan),
        topology = TopologyPicture.Of(plan.Train.Cluster),
        sources = (plan.Options.Efficiencies ?? EfficiencyTable.BuiltIn).Rows.Select(row => new object[]
        {
            row.Class.Text().Replace('_', ' ') + (row.N > 0 ? $", {row.N} x {row.K}" : ""),
            row.Class == WorkClass.ExchangeNotice ? Invariant($"{row.Value * 1e6:0} us") : Invariant($"{row.Value:0.0%} of peak"), row.Source,
        }),
    };

    private static string Omitted(TrainingPlan plan) => plan.Schedule.Programs.Max(program => program.Length) is var longest && longest > MostOps / plan.Schedule.Ranks
        ? Invariant($" Drawn are the first {MostOps / plan.Schedule.Ranks:N0} of up to {longest:N0} ops of every rank.")
        : "";

    /// <summary>An op is its kind, part, backward's part, micro-batch, backward's micro-batch, start and end.</summary>
    private static object Rank(TrainingPlan plan, int rank)
    {
        var (schedule, backwards) = (plan.Schedule, new int[plan.Schedule.Placement.PartsPerRank]);
        var parts = Enumerable.Range(0, backwards.Length).Select(part => schedule.Placement.Of(rank, part)).ToArray();
        return new
        {
            stages = parts.Select(part => part.Stage),
            pipes = parts.Select(part => part.Pipe),
            bubble = plan.Timeline.Bubble(rank),
            ops = plan.Timeline.Ranks[rank].Take(MostOps / schedule.Ranks).Select(op =>
            {
                var backward = op.Op.IsBackward ? backwards[op.Op.PartOfBackward]++ : 0;
                return new object[] { Kind(op.Op.Kind), op.Op.Part, op.Op.PartOfBackward, op.MicroBatch, backward, Rounded(op.Start), Rounded(op.End) };
            }).ToArray(),
        };
    }

    private static object Memory(TrainingPlan plan)
    {
        var fullest = plan.Memory.FullestRank;
        var consumers = plan.Memory.Ranks[fullest].Consumers.Select(consumer => consumer.Name).ToArray();
        // Both ends and the middle of the pipeline tell what there is to tell, beside the fullest.
        int[] shown = [.. new[] { 0, plan.Schedule.Ranks / 2, plan.Schedule.Ranks - 1, fullest }.Distinct().Order()];
        return new
        {
            capacity = plan.Memory.Capacity,
            fullest,
            consumers,
            meaning = consumers.ToDictionary(name => name, PlanExplanation.Meaning),
            ranks = shown.ToDictionary(rank => rank.ToString(CultureInfo.InvariantCulture), rank => plan.MemoryOverTime(rank).Take(MostOps / shown.Length)
                .Select(sample => sample.Consumers.Select(consumer => Math.Round(consumer.Bytes)).Prepend(Rounded(sample.Seconds)))),
        };
    }

    private static IEnumerable<object?[]> Parts(TrainingPlan plan)
    {
        var (planned, published) = (plan.Parts(0), plan.Published?.Parts);
        return
        [
            ["forward, alone", planned.Forward, published?.Forward],
            ["backward, alone", planned.Backward, published?.Backward],
            ["gradients of weights, put off", planned.Weight, published?.Weight],
            ["forward and backward side by side", planned.Pairs, published?.Pairs],
            ["bubble: waiting for other ranks", planned.Bubble, published?.Bubble],
            ["optimizer, after the pipeline", planned.Optimizer, published?.Optimizer],
            ["the step", plan.PlannedSeconds, plan.Published?.StepSeconds],
        ];
    }

    private static List<string[]> Cost(TrainingPlan plan)
    {
        string[] Row(string name, double tokens, string sequence, double hours, double? dollars) =>
        [
            name, Invariant($"{tokens / 1e12:0.###} T"), sequence, Invariant($"{hours / 1e3:N0} thousand"),
            dollars is { } price ? Invariant($"{price / 1e6:0.000} M$") : "no price given",
        ];
        var cost = plan.Cost;
        var rows = cost.Stages.Select(stage => Row(stage.Name, stage.Tokens, Invariant($"{stage.Sequence:N0}"), stage.GpuHours, stage.Dollars)).ToList();
        if (rows.Count > 1) rows.Add(Row("in all", cost.Stages.Sum(stage => stage.Tokens), "", cost.GpuHours, cost.Dollars));
        return rows;
    }

    private static string Kind(OpKind kind) => kind switch
    {
        OpKind.Forward => "F",
        OpKind.Backward => "B",
        OpKind.BackwardInput => "Bi",
        OpKind.BackwardWeight => "W",
        _ => "FB",
    };

    private static double Rounded(double seconds) => Math.Round(seconds, 7);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(PlanPage).Assembly.GetManifestResourceStream($"Page.{name}")!);
        return reader.ReadToEnd();
    }
}
