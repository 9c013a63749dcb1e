using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.Models;

// Text: one token after the other.
public abstract partial class CausalLanguageModel
{
    /// <summary>Appends a prompt to a session and hands out new tokens as they come; the session can go on afterwards.</summary>
    /// <exception cref="ModelException">The prompt is empty or too long, or a number is out of range.</exception>
    public IEnumerable<int> Generate(Session session, ReadOnlyMemory<int> prompt, Generation generation)
    {
        var sampling = generation.Sampling ?? Sampling.Greedy;
        sampling.Check();
        var eos = generation.EosTokens ?? EosTokens;
        if (generation.MaxNewTokens <= 0) yield break;

        Prefill(session, prompt.Span, generation.ChunkTokens);
        for (var i = 1; ; i++)
        {
            var token = SampleNext(session, sampling);
            yield return token;
            if (i == generation.MaxNewTokens || eos.Contains(token) || session.Length == Layout.Context) yield break;
            Decode(session, token);
        }
    }

    /// <inheritdoc cref="Generate"/>
    /// <remarks>Steps run on the thread pool; cancelling takes effect between two of them.</remarks>
    public async IAsyncEnumerable<int> GenerateAsync(
        Session session,
        ReadOnlyMemory<int> prompt,
        Generation generation,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var tokens = Generate(session, prompt, generation).GetEnumerator();
        while (await Task.Run(tokens.MoveNext, cancellation).ConfigureAwait(false)) yield return tokens.Current;
    }

    /// <summary>Chooses the token after those of a session, from the last row of logits.</summary>
    public int SampleNext(Session session, Sampling sampling)
    {
        // The draw depends on seed and position only: chunks, batches and restarts do not change the text.
        var uniform = sampling.IsGreedy ? 0 : Philox.Uniform(sampling.Seed, (ulong)session.Length);
        Span<int> token = stackalloc int[1];
        Sample(sampling, [uniform], token);
        return token[0];
    }
}
