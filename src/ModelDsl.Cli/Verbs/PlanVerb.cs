using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc plan FILE --train NAME</c>: what a training run is made of, how its pipeline runs, and what measured times come to.</summary>
internal static class PlanVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("plan", "Says what a training run is made of: parameters, FLOPs, the pipeline's schedule, and what measured times come to.");
        var input = new ProgramInput();
        var train = new Option<string?>("--train") { Description = "Which train block, where a file declares several." };
        var times = new Option<string?>("--times") { Description = "Seconds of F,Bi,W,FB on a rank: forward, input and weight gradients, an overlapped pair." };
        var step = new Option<double?>("--step") { Description = "Measured seconds of a step: gives tokens, MFU, GPU hours and money." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        input.AddTo(verb);
        foreach (var option in new Option[] { train, times, step, json }) verb.Options.Add(option);
        verb.Subcommands.Add(PlanBalanceVerb.Create(io));
        verb.SetAction(parsed =>
        {
            var measured = parsed.GetValue(times) is { } text ? ParseTimes(text) : null;
            var seconds = parsed.GetValue(step);
            if (seconds is { } length && !(length > 0 && double.IsFinite(length))) throw TroubleException.Usage($"--step {length} should be above 0");
            if (input.ReadAndReport(parsed, io) is not { } program) return ExitCode.Diagnostics;
            var run = Choose(parsed.GetValue(train), program.Trains);
            var plan = TrainingPlan.Of(run, measured, seconds);
            io.Out.WriteLine(parsed.GetValue(json) ? TrainingPlanJson.Write(plan) : TrainingPlanText.Write(plan));
            return ExitCode.Success;
        });
        return verb;
    }

    private static TrainSpec Choose(string? name, IReadOnlyCollection<TrainSpec> trains)
    {
        var names = string.Join(", ", trains.Select(train => train.Name));
        if (name is not null)
            return trains.FirstOrDefault(train => train.Name == name) ?? throw TroubleException.Usage($"there is no train '{name}'; declared are: {names}");
        return trains.Count switch
        {
            0 => throw TroubleException.Usage("the file declares no train block, and that is what is planned"),
            1 => trains.First(),
            _ => throw TroubleException.Usage($"several train blocks are declared ({names}): say which with --train"),
        };
    }

    private static OpTimes ParseTimes(string text)
    {
        var parts = text.Split(',');
        var numbers = parts.Select(part => double.TryParse(part.Trim(), out var number) && number >= 0 && double.IsFinite(number) ? number : -1).ToArray();
        return numbers.Length == 4 && numbers.All(number => number >= 0)
            ? new OpTimes(numbers[0], numbers[1], numbers[2], numbers[3])
            : throw TroubleException.Usage($"--times {text}: four numbers of seconds are expected, F,Bi,W,FB");
    }
}
