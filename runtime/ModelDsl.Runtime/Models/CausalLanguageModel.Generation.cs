using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.Models;

// Text: one token after the other.
public abstract partial class CausalLanguageModel
{
    /// <summary>Appends a prompt to a session and hands out new tokens as they come; the session can go on afterwards.</summary>
    /// <param name="prompt">Token ids, i32 [tokens].</param>
    /// <param name="generation">How tokens are chosen, and when it ends.</param>
    /// <returns>Token ids, at most <see cref="Generation.MaxNewTokens"/>; the work is done while they are taken.</returns>
    /// <exception cref="ModelException">The prompt is empty or too long, or a number is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed of.</exception>
    public IEnumerable<int> Generate(Session session, ReadOnlyMemory<int> prompt, Generation generation)
    {
        var sampling = generation.Sampling ?? Sampling.Greedy;
        sampling.Check();
        var eos = generation.EosTokens ?? EosTokens;
        if (generation.MaxNewTokens <= 0) yield break;

        var tokens = new TokenGenerator(this, session, sampling, eos, generation.DraftTokens);
        tokens.Prefill(prompt.Span, generation.ChunkTokens);
        for (var left = generation.MaxNewTokens; ;)
        {
            var step = tokens.Next(left).ToArray();
            var given = 0;
            try
            {
                while (given < step.Length) yield return step[given++];
            }
            finally
            {
                // Who stops in the middle of a step has a session that ends there.
                session.Truncate(session.Length - (step.Length - given));
            }
            left -= step.Length;
            if (left == 0 || eos.Contains(step[^1]) || session.Length == Layout.Context) yield break;
        }
    }

    /// <inheritdoc cref="Generate"/>
    /// <remarks>
    /// Steps run on the thread pool, one after the other; cancelling takes effect between two of them, and the session keeps what it has
    /// until then.
    /// </remarks>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was requested.</exception>
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
