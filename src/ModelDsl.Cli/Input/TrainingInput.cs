using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Cli.Input;

/// <summary>What is known of a training run besides its file: <c>--times --layer-times --step --efficiency --stages</c>.</summary>
internal sealed class TrainingInput
{
    private readonly Option<string?> _times = new("--times")
    {
        Description = "Measured seconds of F,Bi,W,FB on every rank: forward, input and weight gradients, an overlapped pair.",
    };

    private readonly Option<string?> _layerTimes = new("--layer-times")
    {
        Description = "JSON: measured microseconds of an MoE layer's parts: attn_f, mlp_f, mlp_b, mlp_w, attn_b, attn_w, dispatch_f, dispatch_b, combine_f, combine_b; "
            + "mlp_w_side is what a second stream does of mlp_w.",
    };

    private readonly Option<double?> _step = new("--step")
    {
        Description = "Measured seconds of a step: throughput and money are of that, and what the plan does not explain is said.",
    };

    private readonly Option<string?> _efficiency = new("--efficiency")
    {
        Description = "JSON: measured efficiencies, a list of {class, n, k, value, source}; they replace the built-in ones of their classes.",
    };

    private readonly Option<string?> _stages = new("--stages")
    {
        Description = "Layers of every stage of the pipeline, with commas between them; absent: so that the slowest is as fast as can be.",
    };

    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { _times, _layerTimes, _step, _efficiency, _stages }) verb.Options.Add(option);
    }

    /// <summary>Refuses what no run could use, before the file is read.</summary>
    public void Check(ParseResult parsed)
    {
        if (parsed.GetValue(_times) is { } text) ParseTimes(text);
        if (parsed.GetValue(_step) is { } length && !(length > 0 && double.IsFinite(length))) throw TroubleException.Usage($"--step {length} should be above 0");
    }

    public PlanOptions Options(ParseResult parsed, TrainSpec run, RoutingLoad routing) => new(
        parsed.GetValue(_times) is { } text ? ParseTimes(text) : null,
        parsed.GetValue(_layerTimes) is { } layer ? PlanFiles.LayerTimes(layer) : null,
        parsed.GetValue(_step),
        parsed.GetValue(_efficiency) is { } efficiency ? PlanFiles.Efficiencies(efficiency) : null,
        routing,
        parsed.GetValue(_stages) is { } stages ? ParseStages(stages, run) : null);

    private static ImmutableArray<int> ParseStages(string text, TrainSpec run)
    {
        var layers = text.Split(',').Select(part => int.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : -1).ToImmutableArray();
        return StageLayout.Problem(run.Model, run.Parallel.Pipeline, layers) is { } problem ? throw TroubleException.Usage($"--stages {text}: {problem}") : layers;
    }

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
