namespace ModelDsl.Compiler.Specs;

/// <summary>What a schedule asks of its pipeline is not met.</summary>
public enum ScheduleFault
{
    Stages,
    FewMicroBatches,
    UnevenMicroBatches,
}

/// <param name="Wanted">What it asks for: <c>at least 32 micro-batches for 16 stages</c>.</param>
public sealed record ScheduleProblem(ScheduleFault Fault, string Kind, string Wanted)
{
    public string Message(long found) => $"{Kind} wants {Wanted}, not {found}";
}

/// <summary>The pipeline schedules by name, and what each asks for (V3 report, section 3.2.1; the papers of the others).</summary>
public static class ScheduleRules
{
    /// <summary>Stages per rank of <c>interleaved</c>.</summary>
    public const int InterleavedParts = 2;

    public static IReadOnlyList<string> Names { get; } = ["gpipe", "1f1b", "interleaved", "zb1p", "dualpipe", "dualpipev"];

    /// <summary>Whether stages come in pairs.</summary>
    public static bool WantsEvenStages(string kind) => kind is "dualpipe" or "dualpipev" or "interleaved";

    /// <summary>GPUs that a pipeline of so many stages goes through, tensor parallelism apart: some schedules put two stages on each.</summary>
    public static int Ranks(string kind, int stages) => kind switch
    {
        "interleaved" => Math.Max(1, stages / InterleavedParts),
        "dualpipev" => Math.Max(1, stages / 2),
        _ => stages,
    };

    /// <summary>Everything about the stages and the micro-batches that a schedule of that kind cannot work with.</summary>
    /// <param name="stages">Stages of the model, which is what <c>parallel.pipeline</c> counts.</param>
    public static IEnumerable<ScheduleProblem> Problems(string kind, int stages, long microBatches)
    {
        if (WantsEvenStages(kind) && stages % 2 != 0) yield return new(ScheduleFault.Stages, kind, "an even number of stages");
        var least = kind switch { "dualpipe" => 2L * stages, "dualpipev" => stages, _ => 1 };
        if (microBatches < least) yield return new(ScheduleFault.FewMicroBatches, kind, $"at least {least} micro-batches for {stages} stages");
        else if (kind == "dualpipe" && microBatches % 2 != 0) yield return new(ScheduleFault.UnevenMicroBatches, kind, "an even number of micro-batches");
        else if (kind == "interleaved" && stages % 2 == 0 && microBatches % (stages / InterleavedParts) != 0)
            yield return new(ScheduleFault.UnevenMicroBatches, kind, $"a multiple of its {stages / InterleavedParts} ranks as micro-batches");
    }
}
