using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Schedules;

/// <summary>Every schedule by the name that the <c>schedule</c> block gives it, with what it asks for.</summary>
public static class ScheduleCatalogue
{
    public static IReadOnlyList<string> Names => ScheduleRules.Names;

    /// <summary>Why a schedule cannot be made; null: it can.</summary>
    /// <param name="stages">Stages of the model, which is what <c>parallel.pipeline</c> counts.</param>
    public static string? Problem(string name, int stages, int microBatches)
    {
        if (!Names.Contains(name)) return $"there is no schedule '{name}'; there are {string.Join(", ", Names)}";
        if (stages < 1 || microBatches < 1) return "a pipeline has at least one stage and one micro-batch";
        return ScheduleRules.Problems(name, stages, microBatches).FirstOrDefault() is { } problem
            ? problem.Message(problem.Fault == ScheduleFault.Stages ? stages : microBatches)
            : null;
    }

    /// <exception cref="ArgumentException">There is a <see cref="Problem"/>.</exception>
    public static Schedule Make(string name, int stages, int microBatches)
    {
        if (Problem(name, stages, microBatches) is { } problem) throw new ArgumentException(problem);
        return name switch
        {
            "gpipe" => OneWay.GPipe(stages, microBatches),
            "1f1b" => OneWay.OneForwardOneBackward(stages, microBatches),
            "zb1p" => OneWay.ZeroBubble(stages, microBatches),
            "interleaved" => OneWay.Interleaved(stages / ScheduleRules.InterleavedParts, microBatches, ScheduleRules.InterleavedParts),
            "dualpipev" => DualPipe.Folded(stages / 2, microBatches),
            _ => DualPipe.Bidirectional(stages, microBatches),
        };
    }
}
