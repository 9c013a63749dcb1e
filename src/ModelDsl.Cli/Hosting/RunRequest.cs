using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;

namespace ModelDsl.Cli.Hosting;

/// <summary>What <c>dsmc run</c> is to do with a model.</summary>
/// <param name="Prompt">Token ids.</param>
/// <param name="MaxNewTokens">0: the prompt is worked through and nothing generated.</param>
/// <param name="ChunkTokens">Most prompt tokens per step; null: as many as sensible.</param>
/// <param name="LogitsFile">Where the logits of the prompt go, and of the tokens generated; null: nowhere.</param>
/// <param name="DumpFile">Where intermediate tensors of the prompt go; null: nowhere.</param>
/// <param name="OneByOne">The prompt goes in by decode steps, a token each.</param>
/// <param name="DraftTokens">Guesses per step; null: as many as the model was compiled for.</param>
public sealed record RunRequest(
    IReadOnlyList<int> Prompt,
    int MaxNewTokens,
    Sampling Sampling,
    IReadOnlyList<int>? EosTokens = null,
    int? ChunkTokens = null,
    string? LogitsFile = null,
    string? DumpFile = null,
    bool OneByOne = false,
    int? DraftTokens = null)
{
    // Beyond this a step gains little, and its workspace grows with it.
    private const int LargestStep = 2048;

    /// <summary>The smallest plan that has room for the request.</summary>
    /// <exception cref="ModelException">The model's context has not, or a number makes no sense.</exception>
    /// <exception cref="CheckpointException">A file could not be written where it is to be.</exception>
    public PlanLimits LimitsFor(ModelSpec model)
    {
        Sampling.Check();
        if (MaxNewTokens < 0) throw new ModelException($"{MaxNewTokens} new tokens are asked for; it should be 0 or more.");
        if (LogitsFile is not null) SafetensorsWriter.CheckFolder(LogitsFile);
        if (DumpFile is not null) SafetensorsWriter.CheckFolder(DumpFile);
        var context = Prompt.Count + (long)MaxNewTokens;
        if (context > model.Context)
            throw new ModelException(
                $"{Prompt.Count} prompt tokens and {MaxNewTokens} new ones are {context}; the context of {model.Name} is {model.Context}.");
        var step = Math.Clamp(Math.Min(Prompt.Count, ChunkTokens ?? LargestStep), 1, LargestStep);
        return new PlanLimits(step, DecodeSequences: 1, Math.Max(1, (int)context), LogitRows: LogitsFile is null ? 1 : step);
    }
}

/// <summary>What came of it.</summary>
/// <param name="Tokens">The new ones.</param>
/// <param name="PrefillSeconds">For the prompt.</param>
/// <param name="DecodeSeconds">For the new tokens after the first, which the prompt's logits give.</param>
/// <param name="Drafted">Guesses of the MTP module that the model was asked about; 0 where it did not draft.</param>
/// <param name="Accepted">Those that held.</param>
public sealed record RunResult(
    IReadOnlyList<int> Tokens, int PromptTokens, double PrefillSeconds, double DecodeSeconds, int Drafted = 0, int Accepted = 0)
{
    /// <summary>Of the guesses, 0 to 1.</summary>
    public double AcceptedShare => Drafted == 0 ? 0 : (double)Accepted / Drafted;

    public double PromptTokensPerSecond => PromptTokens / Math.Max(PrefillSeconds, 1e-9);

    /// <summary>Of the tokens after the first; 0 where there are none.</summary>
    public double NewTokensPerSecond => Tokens.Count < 2 ? 0 : (Tokens.Count - 1) / Math.Max(DecodeSeconds, 1e-9);
}
