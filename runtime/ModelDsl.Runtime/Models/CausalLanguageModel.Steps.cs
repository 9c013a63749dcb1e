using System.Runtime.InteropServices;

namespace ModelDsl.Runtime.Models;

// Steps: what goes in, in one small upload, and what is launched.
public abstract partial class CausalLanguageModel
{
    /// <summary>Appends tokens to a sequence, in steps as large as the plan has room for. Leaves the logits of the last, f32 [1, vocabulary].</summary>
    /// <param name="ids">i32 [tokens].</param>
    /// <param name="chunkTokens">Most tokens per step; null: what the plan has room for.</param>
    /// <param name="allLogits">Logits of every token of a step, not of its last alone; steps are no larger than the plan has rows
    /// for.</param>
    /// <param name="onStep">Called after each step with the position of its first token; logits and taps are still there.</param>
    /// <exception cref="ModelException">There is nothing to append, a token is none, or the sequence becomes too long.</exception>
    public void Prefill(Session session, ReadOnlySpan<int> ids, int? chunkTokens = null, bool allLogits = false, Action<int>? onStep = null)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (ids.IsEmpty) throw new ModelException("There is no token to start from.");
        if (chunkTokens <= 0) throw new ModelException($"Chunks of {chunkTokens} tokens are asked for; they should have at least one.");
        CheckIds(ids);
        CheckLength(session.Length + (long)ids.Length);
        session.Table.Reserve(session.Length + ids.Length);

        var chunk = Math.Min(chunkTokens ?? Layout.PrefillTokens, Layout.PrefillTokens);
        if (allLogits) chunk = Math.Min(chunk, Layout.LogitRows);
        for (; !ids.IsEmpty; ids = ids[Math.Min(chunk, ids.Length)..])
        {
            var first = session.Length;
            var count = Math.Min(chunk, ids.Length);
            PrefillStep(session, ids[..count], allLogits ? count : 1);
            onStep?.Invoke(first);
        }
    }

    /// <summary>
    /// Appends one token to each of several sequences, or several to one: a sequence that stands in neighbouring rows gets their tokens
    /// in order. Leaves one row of logits for each row, f32 [rows, vocabulary].
    /// </summary>
    /// <exception cref="ModelException">Too many rows at once, a sequence's rows lie apart, a token is none, or a sequence becomes too
    /// long.</exception>
    public void Decode(ReadOnlySpan<Session> sessions, ReadOnlySpan<int> tokens)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (sessions.Length != tokens.Length || sessions.IsEmpty || sessions.Length > Layout.DecodeSequences)
            throw new ModelException(
                $"{sessions.Length} sequences with {tokens.Length} tokens: a step takes 1 to {Layout.DecodeSequences} of both.");
        CheckIds(tokens);
        Span<int> positions = stackalloc int[sessions.Length];
        for (var i = 0; i < sessions.Length; i++)
        {
            var goesOn = i > 0 && sessions[i] == sessions[i - 1];
            if (!goesOn && sessions[..i].Contains(sessions[i]))
                throw new ModelException("Rows of one sequence should lie behind each other in a step.");
            positions[i] = goesOn ? positions[i - 1] + 1 : sessions[i].Length;
            CheckLength(positions[i] + 1);
        }
        for (var i = 0; i < sessions.Length; i++) sessions[i].Table.Reserve(positions[i] + 1);

        var step = UploadDecode(sessions, positions, tokens) with { Logits = _logits.Address, Hidden = _drafts?.Hidden ?? 0 };
        PlayDecode(step);
        for (var i = 0; i < sessions.Length; i++) sessions[i].Length = positions[i] + 1;
        (LogitRows, Taps) = (sessions.Length, DecodeTaps(step));
    }

    /// <inheritdoc cref="Decode(ReadOnlySpan{Session}, ReadOnlySpan{int})"/>
    public void Decode(Session session, int token) =>
        Decode(MemoryMarshal.CreateReadOnlySpan(ref session, 1), MemoryMarshal.CreateReadOnlySpan(ref token, 1));

    /// <summary>Chooses a token for each of the last rows of logits, on the device.</summary>
    /// <param name="uniforms">One number in [0, 1) per row; not looked at by greedy sampling.</param>
    /// <param name="tokens">As many as rows.</param>
    public void Sample(Sampling sampling, ReadOnlySpan<float> uniforms, Span<int> tokens)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        sampling.Check();
        var rows = tokens.Length;
        if (rows == 0 || rows > LogitRows) throw new ModelException($"The last step left {LogitRows} rows of logits, not {rows}.");
        var step = new Step(rows, 0, rows, 0, 0)
        {
            Logits = LogitAddress(LogitRows - rows),
            Sampled = _sampled.Address,
            Temperature = sampling.Temperature,
            TopP = sampling.TopP,
            Valid = _validIds,
        };
        if (sampling.IsGreedy)
        {
            PlayGreedy(step);
        }
        else
        {
            _upload.Begin();
            uniforms[..rows].CopyTo(_upload.Add<float>(rows, out var uniform));
            _upload.Send(Stream);
            PlayNucleus(step with { Uniform = uniform });
        }
        Stream.Download(_sampled.Address, MemoryMarshal.AsBytes(tokens));
    }

    private void PrefillStep(Session session, ReadOnlySpan<int> ids, int logitRows)
    {
        var step = UploadPrefill(session, session.Length, ids, logitRows) with { Logits = _logits.Address, Hidden = _drafts?.Hidden ?? 0 };
        PlayPrefill(step);
        (session.Length, LogitRows, Taps) = (step.Context, logitRows, PrefillTaps(step));
    }

    /// <summary>The inputs of a step that works on neighbouring tokens of one sequence; pages are there already.</summary>
    private Step UploadPrefill(Session session, int first, ReadOnlySpan<int> ids, int logitRows)
    {
        var tokens = ids.Length;
        var context = first + tokens;
        var pageCount = (context + _pages.TokensPerPage - 1) / _pages.TokensPerPage;
        _upload.Begin();
        ids.CopyTo(_upload.Add<int>(tokens, out var idsAt));
        var positions = _upload.Add<int>(tokens, out var positionsAt);
        var slots = _upload.Add<int>(tokens, out var slotsAt);
        for (var i = 0; i < tokens; i++) (positions[i], slots[i]) = (first + i, session.Table.Slot(first + i));
        session.Table.Pages[..pageCount].CopyTo(_upload.Add<int>(pageCount, out var pagesAt));
        _upload.Send(Stream);
        return new Step(tokens, context, logitRows, 1, pageCount) { Ids = idsAt, Positions = positionsAt, Slots = slotsAt, Pages = pagesAt };
    }

    /// <summary>The inputs of a step with one token per row; pages are there already.</summary>
    private Step UploadDecode(ReadOnlySpan<Session> sessions, ReadOnlySpan<int> at, ReadOnlySpan<int> tokens)
    {
        var count = sessions.Length;
        var longest = 0;
        foreach (var position in at) longest = Math.Max(longest, position + 1);
        var maxPages = (longest + _pages.TokensPerPage - 1) / _pages.TokensPerPage;
        _upload.Begin();
        tokens.CopyTo(_upload.Add<int>(count, out var idsAt));
        at.CopyTo(_upload.Add<int>(count, out var positionsAt));
        var slots = _upload.Add<int>(count, out var slotsAt);
        var lengths = _upload.Add<int>(count, out var lengthsAt);
        var pages = _upload.Add<int>(count * maxPages, out var pagesAt);
        for (var i = 0; i < count; i++)
        {
            (slots[i], lengths[i]) = (sessions[i].Table.Slot(at[i]), at[i] + 1);
            var row = pages.Slice(i * maxPages, maxPages);
            var own = sessions[i].Table.Pages;
            own = own[..Math.Min(own.Length, maxPages)];
            own.CopyTo(row);
            row[own.Length..].Clear();
        }
        _upload.Send(Stream);
        return new Step(count, longest, count, Math.Max(1, (longest + Layout.SplitTokens - 1) / Layout.SplitTokens), maxPages)
        {
            Ids = idsAt,
            Positions = positionsAt,
            Slots = slotsAt,
            Pages = pagesAt,
            Lengths = lengthsAt,
        };
    }

    private void CheckIds(ReadOnlySpan<int> ids)
    {
        foreach (var id in ids)
            if ((uint)id >= (uint)Layout.Vocabulary)
                throw new ModelException($"Token {id} is none of {Layout.Name}: ids are 0 to {Layout.Vocabulary - 1}.");
    }

    private void CheckLength(long tokens)
    {
        if (tokens > Layout.Context)
            throw new ModelException(
                $"A sequence of {tokens} tokens is longer than the {Layout.Context} that {Layout.Name} was compiled for.");
    }
}
