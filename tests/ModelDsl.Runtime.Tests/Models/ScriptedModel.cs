using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Models;

namespace ModelDsl.Runtime.Tests.Models;

/// <summary>
/// Stands where a generated class stands. Instead of launching, it notes what a step was given; the best token after a
/// sequence of length n is n modulo the vocabulary. Its MTP module knows that, but errs where <paramref name="errsAt"/> says so.
/// </summary>
/// <param name="errsAt">Lengths whose following token the module takes for another.</param>
internal sealed unsafe class ScriptedModel(IDevice device, int cacheTokens = 256, int draftTokens = 0, params int[] errsAt)
    : CausalLanguageModel(
        draftTokens == 0 ? TestLayout : TestLayout with { DecodeSequences = 4, Mtp = new MtpLayout(draftTokens, HiddenRowBytes: 4) },
        device, KernelLibrary.FromMemory(new Dictionary<string, ReadOnlyMemory<byte>>()), new ModelOptions(cacheTokens))
{
    public const int Vocabulary = 10;

    private static readonly ModelLayout TestLayout = new()
    {
        Name = "Scripted",
        Target = "sm_80",
        Kernels = [],
        Vocabulary = Vocabulary,
        PrefillTokens = 100,
        DecodeSequences = 3,
        Context = 200,
        LogitRows = 7,
        SplitTokens = 64,
        WorkspaceBytes = 64,
        Cache = new CacheLayout(Layers: 2, RowBytes: 8, Page: 16),
        Rope = new RopeLayout([1f, 0.1f], 2f, 200),
        WeightBytes = 64,
        Weights = [],
        IgnoredPrefixes = [],
    };

    public List<Seen> Steps { get; } = [];

    /// <summary>Steps of the MTP module: position, token, and the hidden state that it was given, which is the position before.</summary>
    public List<(int Position, int Token, int Hidden)> Drafts { get; } = [];

    public (float Cos, float Sin) RopeAt(int position, int pair) =>
        (((float*)Cos)[position * 2 + pair], ((float*)Sin)[position * 2 + pair]);

    protected override void PlayPrefill(in Step step)
    {
        Note(step, Ints(step.Pages, step.MaxPages), lengths: [], step.Context - step.LogitRows + 1);
        LeaveHidden(step);
    }

    protected override void PlayDecode(in Step step)
    {
        Note(step, Ints(step.Pages, step.Tokens * step.MaxPages), Ints(step.Lengths, step.Tokens), 0);
        for (var row = 0; row < step.Tokens; row++) WriteLogits(step, row, ((int*)step.Lengths)[row]);
        LeaveHidden(step);
    }

    protected override void PlayMtpPrefill(in Step step)
    {
        NoteDrafts(step);
        WriteLogits(step, step.LogitRows - 1, step.Context + 1);
    }

    protected override void PlayMtpDecode(in Step step)
    {
        NoteDrafts(step);
        for (var row = 0; row < step.Tokens; row++)
        {
            var length = ((int*)step.Lengths)[row] + 1;
            WriteLogits(step, row, errsAt.Contains(length) ? length + 5 : length);
        }
    }

    protected override void PlayGreedy(in Step step)
    {
        for (var row = 0; row < step.LogitRows; row++)
        {
            var logits = new ReadOnlySpan<float>((float*)step.Logits + row * Vocabulary, step.Valid);
            ((int*)step.Sampled)[row] = logits.IndexOf(1f);
        }
    }

    protected override void PlayNucleus(in Step step)
    {
        for (var row = 0; row < step.LogitRows; row++) ((int*)step.Sampled)[row] = (int)(((float*)step.Uniform)[row] * Vocabulary);
    }

    /// <summary>The hidden state of a token is its position.</summary>
    private static void LeaveHidden(in Step step)
    {
        if (step.Hidden != 0) new ReadOnlySpan<int>((int*)step.Positions, step.Tokens).CopyTo(new Span<int>((int*)step.Hidden, step.Tokens));
    }

    private void NoteDrafts(in Step step)
    {
        for (var row = 0; row < step.Tokens; row++)
            Drafts.Add((((int*)step.Positions)[row], ((int*)step.Ids)[row], ((int*)step.PreviousHidden)[row]));
        LeaveHidden(step);
    }

    private void Note(in Step step, int[] pages, int[] lengths, int firstLength)
    {
        Steps.Add(
            new Seen(step, Ints(step.Ids, step.Tokens), Ints(step.Positions, step.Tokens), Ints(step.Slots, step.Tokens), pages, lengths));
        for (var row = 0; row < step.LogitRows; row++) WriteLogits(step, row, firstLength + row);
    }

    private static void WriteLogits(in Step step, int row, int length)
    {
        var logits = new Span<float>((float*)step.Logits + row * Vocabulary, Vocabulary);
        logits.Clear();
        logits[length % Vocabulary] = 1;
    }

    private static int[] Ints(ulong address, int count) => new ReadOnlySpan<int>((int*)address, count).ToArray();

    public sealed record Seen(Step Step, int[] Ids, int[] Positions, int[] Slots, int[] Pages, int[] Lengths);
}
