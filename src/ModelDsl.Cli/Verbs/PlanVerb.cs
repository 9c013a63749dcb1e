using System.CommandLine;
using System.Globalization;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Serving;
using ModelDsl.Simulation.WhatIf;

namespace ModelDsl.Cli.Verbs;

/// <summary>
/// <c>dsmc plan FILE --train NAME</c>: whether a training run fits, what hides behind what, how long it takes and what it costs.
/// <c>dsmc plan FILE --serve NAME</c>: what a deployment serves, and how fast.
/// </summary>
internal static class PlanVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("plan", "Says of a training run whether it fits, what hides behind what, where the bubble is, how long it takes and what it costs; of a deployment what it serves, and how fast.");
        var input = new ProgramInput();
        var train = new Option<string?>("--train") { Description = "Which train block, where a file declares several." };
        var times = new Option<string?>("--times") { Description = "Measured seconds of F,Bi,W,FB on every rank: forward, input and weight gradients, an overlapped pair." };
        var layer = new Option<string?>("--layer-times")
        {
            Description = "JSON: measured microseconds of an MoE layer's parts: attn_f, mlp_f, mlp_b, mlp_w, attn_b, attn_w, dispatch_f, dispatch_b, combine_f, combine_b; "
                + "mlp_w_side is what a second stream does of mlp_w.",
        };
        var step = new Option<double?>("--step") { Description = "Measured seconds of a step: throughput and money are of that, and what the plan does not explain is said." };
        var efficiency = new Option<string?>("--efficiency")
        {
            Description = "JSON: measured efficiencies, a list of {class, n, k, value, source}; they replace the built-in ones of their classes.",
        };
        var routing = new Option<string>("--routing")
        {
            Description = "How evenly experts are chosen: balanced, powerlaw:EXPONENT, or a JSON file of loads (a list of layers, each a list with the load of every expert).",
            DefaultValueFactory = _ => "balanced",
        };
        var explain = new Option<string?>("--explain") { Description = "Derives a number term by term: bubble, memory, overlap or time." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var trace = new Option<string?>("--trace") { Description = "Writes the planned step to a file for chrome://tracing and Perfetto." };
        var search = new Option<bool>("--search") { Description = "Tries other layouts and names those that none beats in step time, memory and GPUs at once." };
        var (serving, sweep) = (new ServingInput(), new SweepInput());
        input.AddTo(verb);
        serving.AddTo(verb);
        sweep.AddTo(verb);
        foreach (var option in new Option[] { train, times, layer, step, efficiency, routing, explain, search, trace, json }) verb.Options.Add(option);
        verb.Subcommands.Add(PlanBalanceVerb.Create(io));
        verb.SetAction(parsed =>
        {
            var measured = parsed.GetValue(times) is { } text ? ParseTimes(text) : null;
            var seconds = parsed.GetValue(step);
            if (seconds is { } length && !(length > 0 && double.IsFinite(length))) throw TroubleException.Usage($"--step {length} should be above 0");
            var topic = parsed.GetValue(explain);
            if (topic is not null && !PlanExplanation.Topics.Contains(topic))
                throw TroubleException.Usage($"--explain {topic}: there are {string.Join(", ", PlanExplanation.Topics)}");
            var axes = sweep.Axes(parsed);
            if (axes.Length > 0 && parsed.GetValue(search)) throw TroubleException.Usage("--sweep and --search exclude each other");
            if (serving.IsGiven(parsed) && parsed.GetValue(train) is not null) throw TroubleException.Usage("--serve and --train exclude each other");
            if (input.ReadAndReport(parsed, io) is not { } program) return ExitCode.Diagnostics;
            if (serving.IsGiven(parsed))
            {
                var serve = serving.Choose(parsed, program.Serves);
                var loads = parsed.GetResult(routing) is { Implicit: false } ? PlanFiles.Routing(parsed.GetValue(routing)!, serve.Model) : null;
                var deployment = ServingPlan.Of(serve, serving.Options(parsed, loads));
                io.Out.WriteLine(parsed.GetValue(json) ? ServingPlanJson.Write(deployment) : ServingPlanText.Write(deployment));
                return ExitCode.Success;
            }
            var run = Whole(program, Choose(parsed.GetValue(train), program.Trains));
            if (run.Cluster is { Nodes: > 1, Node: { Nics: 0 } or { NicBytesPerSecond: 0 } })
                throw TroubleException.Usage($"the {run.Cluster.Nodes} nodes of {run.Cluster.Name} have no network adapters, and a run needs all of them: say nics and nic in its node block");
            var options = new PlanOptions(
                measured,
                parsed.GetValue(layer) is { } layerFile ? PlanFiles.LayerTimes(layerFile) : null,
                seconds,
                parsed.GetValue(efficiency) is { } efficiencyFile ? PlanFiles.Efficiencies(efficiencyFile) : null,
                PlanFiles.Routing(parsed.GetValue(routing)!, run.Model));
            if (axes.Length > 0)
            {
                var points = SweepInput.Points(axes, run, more => input.Read(parsed, more), (train, work) => TrainingPlan.Of(train, work, options));
                io.Out.WriteLine(parsed.GetValue(json) ? SweepReport.Json(axes, points) : SweepReport.Text(axes, points));
                return ExitCode.Success;
            }
            if (parsed.GetValue(search))
            {
                var result = SearchReport.Watch(io, progress => LayoutSearch.Run(run, options, progress));
                io.Out.WriteLine(parsed.GetValue(json) ? SearchReport.Json(result) : SearchReport.Text(result));
                return ExitCode.Success;
            }

            var plan = TrainingPlan.Of(run, options);
            if (parsed.GetValue(trace) is { } traceFile) AtomicFile.Write(traceFile, PlanTrace.Write(plan));
            io.Out.WriteLine(parsed.GetValue(json) ? TrainingPlanJson.Write(plan)
                : topic is not null ? PlanExplanation.Write(plan, topic) : TrainingPlanText.Write(plan));
            return ExitCode.Success;
        });
        return verb;
    }

    private static TrainSpec Choose(string? name, IReadOnlyCollection<TrainSpec> trains)
    {
        var names = string.Join(", ", trains.Select(train => train.Name));
        if (name is not null)
            return trains.FirstOrDefault(train => train.Name == name) ?? throw TroubleException.Usage($"there is no train '{name}'; declared are: {names}");
        if (trains.Count == 0) throw TroubleException.Usage("the file declares no train block, and that is what is planned");
        // An extension is planned with the run that it extends.
        return trains.Where(train => train.Extensions.Count == 0).ToArray() is [var only]
            ? only
            : throw TroubleException.Usage($"several train blocks are declared ({names}): say which with --train");
    }

    /// <summary>The run with the stages that the file extends it by.</summary>
    private static TrainSpec Whole(BoundProgram program, TrainSpec run) =>
        program.Trains.Where(train => train with { Name = run.Name, Extensions = run.Extensions } == run).MaxBy(train => train.Extensions.Count) is { } longest
            ? run with { Extensions = longest.Extensions }
            : run;

    private static OpTimes ParseTimes(string text)
    {
        var parts = text.Split(',');
        var numbers = parts.Select(part =>
            double.TryParse(part.Trim(), CultureInfo.InvariantCulture, out var number) && number >= 0 && double.IsFinite(number) ? number : -1).ToArray();
        return numbers.Length == 4 && numbers.All(number => number >= 0)
            ? new OpTimes(numbers[0], numbers[1], numbers[2], numbers[3])
            : throw TroubleException.Usage($"--times {text}: four numbers of seconds are expected, F,Bi,W,FB");
    }
}
