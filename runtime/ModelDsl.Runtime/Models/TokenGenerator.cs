using System.Runtime.InteropServices;
using ModelDsl.Runtime.Profiling;

namespace ModelDsl.Runtime.Models;

/// <summary>
/// The tokens of one text, step by step. With drafts a step gives several: the MTP module guesses what comes next, one decode step of
/// the model works on all guesses at once, and those that the model would have chosen itself stay (V3 report, section 5.4.3).
/// </summary>
/// <remarks>
/// Drafts never change the text. Each position's token is chosen from the model's own logits with the number that belongs to seed and
/// position, whether it was guessed or not; so a guess of probability p holds with probability p, as in speculative sampling (arXiv
/// 2211.17192) with a drafter that is sure. No other step of the model may come between the prompt and the first token.
/// </remarks>
public sealed class TokenGenerator
{
    private readonly CausalLanguageModel _model;
    private readonly Session _session;
    private readonly Sampling _sampling;
    private readonly IReadOnlyList<int> _eos;
    private readonly int _draftTokens;
    private readonly RunProfile? _profile;

    // Behind the last step: the token that is chosen and not yet worked through, then those that may follow it.
    private readonly List<int> _pending = [];
    private readonly Session[] _rows;
    private readonly int[] _sampled;
    private readonly float[] _uniforms;

    /// <param name="session">The sequence; empty, or made with drafts if there are to be any.</param>
    /// <param name="eos">Tokens that end the text.</param>
    /// <param name="draftTokens">Guesses per step; 0: none.</param>
    /// <param name="profile">Gets the time of each phase; null: nobody asks.</param>
    /// <exception cref="ModelException">The model was not compiled to draft as many, or the session's text was begun without.</exception>
    public TokenGenerator(
        CausalLanguageModel model, Session session, Sampling sampling, IReadOnlyList<int> eos, int draftTokens = 0, RunProfile? profile = null)
    {
        sampling.Check();
        var most = model.Layout.Mtp?.DraftTokens ?? 0;
        if (draftTokens < 0 || draftTokens > most)
            throw new ModelException($"{draftTokens} drafted tokens per step are asked for; {model.Layout.Name} was compiled for 0 to {most}.");
        if (draftTokens > 0 && session.DraftedLength < session.Length)
            throw new ModelException("This session's text was begun without drafts and goes on without; start a new session to draft.");
        (_model, _session, _sampling, _eos, _draftTokens, _profile) = (model, session, sampling, eos, draftTokens, profile);
        (_rows, _sampled, _uniforms) = (new Session[draftTokens + 1], new int[draftTokens + 1], new float[draftTokens + 1]);
        Array.Fill(_rows, session);
    }

    /// <summary>Guesses that the model was asked about.</summary>
    public int Drafted { get; private set; }

    /// <summary>Guesses that held.</summary>
    public int Accepted { get; private set; }

    /// <summary>Called after each step of the prompt; logits and taps are still there.</summary>
    public Action? OnPromptStep { get; init; }

    /// <summary>Called after each step of the MTP module on the prompt; its logits and taps are still there.</summary>
    public Action? OnPromptDraft { get; init; }

    /// <summary>Called after each decode step with the number of its rows that are part of the text; their logits come first.</summary>
    public Action<int>? OnDecodeStep { get; init; }

    /// <inheritdoc cref="CausalLanguageModel.Prefill"/>
    public void Prefill(ReadOnlySpan<int> prompt, int? chunkTokens = null, bool allLogits = false)
    {
        var ids = prompt.ToArray();
        var start = _session.Length;
        using var scope = _profile?.Enter(RunPhase.Prefill);
        _model.Prefill(_session, ids, chunkTokens, allLogits, first =>
        {
            OnPromptStep?.Invoke();
            if (_draftTokens == 0) return;
            // What follows the prompt's last token is not known yet.
            var next = ids.AsSpan(first - start + 1, Math.Min(_session.Length - first, ids.Length - (first - start) - 1));
            LastRow = _session.Length - first - 1;
            if (next.IsEmpty) return;
            _model.DraftPrefill(_session, first, next, allLogits);
            OnPromptDraft?.Invoke();
        });
    }

    /// <summary>Goes one step on.</summary>
    /// <param name="most">Most tokens wanted now and later; at least 1.</param>
    /// <returns>At least one token, the last of which is not worked through yet. After a token that ends the text there is no other.
    /// Valid until the next step.</returns>
    public ReadOnlySpan<int> Next(int most)
    {
        var first = _session.Length;
        var guesses = Math.Max(0, Math.Min(_pending.Count - 1, most - 1));
        if (_pending.Count == 0)
        {
            // The prompt's last row of logits is there already.
            Choose(rows: 1, position: first);
            Draft(first - 1, count: 1, row: LastRow, most - 1);
            return _sampled.AsSpan(0, 1);
        }

        var rows = guesses + 1;
        using (_profile?.Enter(RunPhase.Decode)) _model.Decode(_rows.AsSpan(0, rows), CollectionsMarshal.AsSpan(_pending)[..rows]);
        Choose(rows, first + 1);
        var held = 0;
        while (held < guesses && _sampled[held] == _pending[held + 1] && !_eos.Contains(_sampled[held])) held++;
        (Drafted, Accepted) = (Drafted + guesses, Accepted + held);
        OnDecodeStep?.Invoke(held + 1);
        _session.Truncate(first + held + 1);
        Draft(first, held + 1, row: 0, most - held - 1);
        return _sampled.AsSpan(0, held + 1);
    }

    /// <summary>The last row of the prompt's last step.</summary>
    private int LastRow { get; set; }

    private void Choose(int rows, int position)
    {
        using var scope = _profile?.Enter(RunPhase.Sample);
        // The draw depends on seed and position only: chunks, batches, drafts and restarts do not change the text.
        if (!_sampling.IsGreedy)
            for (var i = 0; i < rows; i++) _uniforms[i] = Philox.Uniform(_sampling.Seed, (ulong)(position + i));
        _model.Sample(_sampling, _uniforms.AsSpan(0, rows), _sampled.AsSpan(0, rows));
    }

    /// <summary>Makes the guesses that follow <paramref name="count"/> chosen tokens, the first of which follows the token at <paramref name="first"/>.</summary>
    private void Draft(int first, int count, int row, int wanted)
    {
        _pending.Clear();
        _pending.Add(_sampled[count - 1]);
        if (_draftTokens == 0) return;

        using var scope = _profile?.Enter(RunPhase.Draft);
        // One step at least: it fills the module's cache for the tokens just chosen.
        var drafts = Math.Min(Math.Min(_draftTokens, wanted - 1), _model.Layout.Context - _session.Length - 1);
        var guess = _model.DraftDecode(_rows.AsSpan(0, count), first, _sampled.AsSpan(0, count), row, ofModule: false);
        for (var i = 0; i < drafts; i++)
        {
            _pending.Add(guess);
            if (i + 1 < drafts)
                guess = _model.DraftDecode(_rows.AsSpan(0, 1), first + count + i, [guess], i == 0 ? count - 1 : 0, ofModule: true);
        }
        // What lies beyond the text was worked through with guesses only.
        _session.DraftedLength = _session.Length;
    }
}
