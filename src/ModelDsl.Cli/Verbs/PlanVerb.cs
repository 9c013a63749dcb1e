using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Cli.Output.Page;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation;
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
        var input = new ProgramInput(asksForMemory: true);
        var train = new Option<string?>("--train") { Description = "Which train block, where a file declares several." };
        var training = new TrainingInput();
        var routing = new Option<string>("--routing")
        {
            Description = "How evenly experts are chosen: balanced, powerlaw:EXPONENT, or a JSON file of loads (a list of layers, each a list with the load of every expert).",
            DefaultValueFactory = _ => "balanced",
        };
        var explain = new Option<string?>("--explain") { Description = "Derives a number term by term: bubble, memory, overlap, time or cost." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var trace = new Option<string?>("--trace") { Description = "Writes the planned step to a file for chrome://tracing and Perfetto." };
        var html = new Option<string?>("--html") { Description = "Writes the plan to one page that any browser shows without a network." };
        var search = new Option<bool>("--search") { Description = "Tries other layouts and names those that none beats in step time, memory and GPUs at once." };
        var (serving, sweep) = (new ServingInput(), new SweepInput());
        input.AddTo(verb);
        serving.AddTo(verb);
        training.AddTo(verb);
        sweep.AddTo(verb);
        foreach (var option in new Option[] { train, routing, explain, search, trace, html, json }) verb.Options.Add(option);
        verb.Subcommands.Add(PlanBalanceVerb.Create(io));
        verb.SetAction(parsed =>
        {
            training.Check(parsed);
            var topic = parsed.GetValue(explain);
            if (topic is not null && !PlanExplanation.Topics.Contains(topic))
                throw TroubleException.Usage($"--explain {topic}: there are {string.Join(", ", PlanExplanation.Topics)}");
            var axes = sweep.Axes(parsed);
            if (axes.Length > 0 && parsed.GetValue(search)) throw TroubleException.Usage("--sweep and --search exclude each other");
            // What is of one planned step is of neither a deployment nor a table of plans.
            if (new Option[] { explain, trace, html }.FirstOrDefault(option => parsed.GetResult(option) is not null) is { } single
                && (axes.Length > 0 || parsed.GetValue(search) || serving.IsGiven(parsed)))
                throw TroubleException.Usage($"{single.Name} is of one training plan, and goes with neither --serve nor --sweep nor --search");
            if (serving.IsGiven(parsed) && (axes.Length > 0 || parsed.GetValue(search)))
                throw TroubleException.Usage("--sweep and --search vary a training run, and --serve plans a deployment");
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
            var options = training.Options(parsed, run, PlanFiles.Routing(parsed.GetValue(routing)!, run.Model));
            if (axes.Length > 0)
            {
                if (options.StageLayers is not null) throw TroubleException.Usage("--sweep and --stages exclude each other");
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
            if (parsed.GetValue(html) is { } page) AtomicFile.Write(page, PlanPage.Write(plan));
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
}
