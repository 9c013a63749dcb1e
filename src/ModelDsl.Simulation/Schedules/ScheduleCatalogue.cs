namespace ModelDsl.Simulation.Schedules;

/// <summary>Every schedule by the name that the <c>schedule</c> block gives it, with what it asks for.</summary>
public static class ScheduleCatalogue
{
    /// <summary>Stages per rank of <c>interleaved</c>.</summary>
    public const int InterleavedParts = 2;

    public static IReadOnlyList<string> Names { get; } = ["gpipe", "1f1b", "interleaved", "zb1p", "dualpipe", "dualpipev"];

    /// <summary>Why a schedule cannot be made; null: it can.</summary>
    /// <param name="stages">Stages of the model, which is what <c>parallel.pipeline</c> counts.</param>
    public static string? Problem(string name, int stages, int microBatches) => name switch
    {
        _ when !Names.Contains(name) => $"there is no schedule '{name}'; there are {string.Join(", ", Names)}",
        _ when stages < 1 || microBatches < 1 => "a pipeline has at least one stage and one micro-batch",
        "dualpipe" when stages % 2 != 0 => $"dualpipe wants an even number of stages, not {stages}",
        "dualpipe" when microBatches % 2 != 0 => $"dualpipe wants an even number of micro-batches, not {microBatches}",
        "dualpipev" when stages % 2 != 0 => $"dualpipev puts two stages on a rank: {stages} is odd",
        "dualpipe" when microBatches < 2 * stages => $"dualpipe wants at least {2 * stages} micro-batches for {stages} stages, not {microBatches}",
        "dualpipev" when microBatches < stages => $"dualpipev wants at least {stages} micro-batches for {stages} stages, not {microBatches}",
        "interleaved" when stages % InterleavedParts != 0 => $"interleaved puts {InterleavedParts} stages on a rank: {stages} is no multiple",
        "interleaved" when microBatches % (stages / InterleavedParts) != 0 =>
            $"interleaved wants a multiple of its {stages / InterleavedParts} ranks as micro-batches, not {microBatches}",
        _ => null,
    };

    /// <exception cref="ArgumentException">There is a <see cref="Problem"/>.</exception>
    public static Schedule Make(string name, int stages, int microBatches)
    {
        if (Problem(name, stages, microBatches) is { } problem) throw new ArgumentException(problem);
        return name switch
        {
            "gpipe" => OneWay.GPipe(stages, microBatches),
            "1f1b" => OneWay.OneForwardOneBackward(stages, microBatches),
            "zb1p" => OneWay.ZeroBubble(stages, microBatches),
            "interleaved" => OneWay.Interleaved(stages / InterleavedParts, microBatches, InterleavedParts),
            "dualpipev" => DualPipe.Folded(stages / 2, microBatches),
            _ => DualPipe.Bidirectional(stages, microBatches),
        };
    }
}
