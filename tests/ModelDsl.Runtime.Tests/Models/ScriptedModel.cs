using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Models;

namespace ModelDsl.Runtime.Tests.Models;

/// <summary>
/// Stands where a generated class stands. Instead of launching, it notes what a step was given; the best token after a
/// sequence of length n is n modulo the vocabulary.
/// </summary>
internal sealed unsafe class ScriptedModel(IDevice device, int cacheTokens = 256)
    : CausalLanguageModel(
        TestLayout, device, KernelLibrary.FromMemory(new Dictionary<string, ReadOnlyMemory<byte>>()), new ModelOptions(cacheTokens))
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

    public (float Cos, float Sin) RopeAt(int position, int pair) =>
        (((float*)Cos)[position * 2 + pair], ((float*)Sin)[position * 2 + pair]);

    protected override void PlayPrefill(in Step step) =>
        Note(step, Ints(step.Pages, step.MaxPages), lengths: [], step.Context - step.LogitRows + 1);

    protected override void PlayDecode(in Step step)
    {
        Note(step, Ints(step.Pages, step.Tokens * step.MaxPages), Ints(step.Lengths, step.Tokens), 0);
        for (var row = 0; row < step.Tokens; row++) WriteLogits(step, row, ((int*)step.Lengths)[row]);
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
