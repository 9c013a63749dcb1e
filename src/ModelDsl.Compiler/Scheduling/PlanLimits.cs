using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>The largest step that a plan has room for. Workspace offsets are those of a step at these limits.</summary>
/// <param name="PrefillTokens">New tokens of one prefill step.</param>
/// <param name="DecodeSequences">Rows of one decode step: sequences with one new token each, or several tokens of one.</param>
/// <param name="Context">Tokens of one sequence, cached and new.</param>
/// <param name="LogitRows">Rows of logits of one prefill step, at most <paramref name="PrefillTokens"/>. A decode step has one per
/// sequence.</param>
/// <param name="Page">Tokens per page of the cache.</param>
/// <param name="SplitPages">Pages of one split of decode attention.</param>
public sealed record PlanLimits(
    int PrefillTokens, int DecodeSequences, int Context, int LogitRows = 1, int Page = 64, int SplitPages = 4)
{
    /// <summary>Rows of the cache are <see cref="Specs.Fp8CacheRow"/>s instead of activations.</summary>
    public bool Fp8Cache { get; init; }

    /// <summary>Pages of one sequence at the longest context: the width of a decode step's block table at most.</summary>
    public int MaxPages => (Context + Page - 1) / Page;

    /// <summary>Splits of decode attention at the longest context.</summary>
    public int MaxSplits => SplitsFor(Context);

    /// <summary>What <see cref="DimSymbol.Splits"/> must be in a decode step whose longest sequence has this many tokens.</summary>
    public int SplitsFor(int longest) => Math.Max(1, (longest + Page * SplitPages - 1) / (Page * SplitPages));

    /// <summary>The largest value of a symbol in a phase.</summary>
    public long Of(DimSymbol symbol, Phase phase) => symbol switch
    {
        DimSymbol.Tokens => phase.IsPrefill() ? PrefillTokens : DecodeSequences,
        DimSymbol.Context => Context,
        DimSymbol.LogitRows => phase.IsDecode() ? DecodeSequences : Math.Max(LogitRows, phase.IsPrefill() ? 1 : DecodeSequences),
        DimSymbol.Splits => MaxSplits,
        DimSymbol.MaxPages => MaxPages,
        _ => throw new InvalidOperationException($"{symbol} is a kernel's own; no graph has it."),
    };
}
