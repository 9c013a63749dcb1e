namespace ModelDsl.Runtime.Models;

/// <summary>How the next token is chosen from the logits.</summary>
/// <param name="Temperature">Divides the logits; 0 takes the best token (greedy).</param>
/// <param name="TopP">Probability mass of the nucleus; 1 draws from all tokens.</param>
/// <param name="Seed">The same seed gives the same text.</param>
public sealed record Sampling(float Temperature = 0, float TopP = 1, ulong Seed = 0)
{
    public static Sampling Greedy { get; } = new();

    public bool IsGreedy => Temperature == 0;

    /// <summary>Refuses numbers that make no sense; every method that samples does so too.</summary>
    /// <exception cref="ModelException">A number is out of its range.</exception>
    public void Check()
    {
        if (!(Temperature >= 0) || float.IsInfinity(Temperature))
            throw new ModelException($"The temperature is {Temperature}; it should be 0 or more.");
        if (!(TopP > 0 && TopP <= 1)) throw new ModelException($"top-p is {TopP}; it should be above 0 and at most 1.");
    }
}

/// <summary>What to generate and when to stop.</summary>
/// <param name="MaxNewTokens">Stops after this many tokens.</param>
/// <param name="EosTokens">Stops at any of these, which is still handed out; null: the checkpoint's.</param>
/// <param name="ChunkTokens">The prompt goes in by this many tokens at a time; null: as many as the plan has room for.</param>
/// <param name="DraftTokens">Tokens that the MTP module guesses per step, as far as the model was compiled for it; the text is the same
/// with and without.</param>
public sealed record Generation(
    int MaxNewTokens, Sampling? Sampling = null, IReadOnlyList<int>? EosTokens = null, int? ChunkTokens = null, int DraftTokens = 0);
