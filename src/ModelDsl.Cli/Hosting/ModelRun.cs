using System.Diagnostics;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Profiling;

namespace ModelDsl.Cli.Hosting;

/// <summary>Plays one request: prompt in, tokens out, files written on the way.</summary>
public static class ModelRun
{
    /// <param name="onToken">Called with each new token as it comes.</param>
    /// <param name="profile">Gets the time of each phase; the model's device should be one that it watches.</param>
    /// <exception cref="ModelException">The prompt or a number makes no sense.</exception>
    public static RunResult Play(
        CausalLanguageModel model, RunRequest request, Action<int>? onToken = null, RunProfile? profile = null, CancellationToken cancellation = default)
    {
        using var session = model.CreateSession();
        var logits = request.LogitsFile is null ? null : new StepRecorder(model);
        var taps = request.DumpFile is null ? null : new StepRecorder(model);
        var clock = Stopwatch.StartNew();
        PlayPrompt(model, session, request, profile, () =>
        {
            cancellation.ThrowIfCancellationRequested();
            logits?.TakeLogits("logits");
            taps?.TakeTaps();
        });
        model.Device.Synchronize();
        var prefill = clock.Elapsed;
        taps?.Write(request.DumpFile!);

        var tokens = new List<int>();
        var eos = request.EosTokens ?? model.EosTokens;
        clock.Restart();
        var first = clock.Elapsed;
        while (tokens.Count < request.MaxNewTokens)
        {
            cancellation.ThrowIfCancellationRequested();
            if (tokens.Count > 0)
            {
                using (profile?.Enter(RunPhase.Decode)) model.Decode(session, tokens[^1]);
                logits?.TakeLogits("generated.logits");
            }
            using (profile?.Enter(RunPhase.Sample)) tokens.Add(model.SampleNext(session, request.Sampling));
            if (tokens.Count == 1) first = clock.Elapsed;
            onToken?.Invoke(tokens[^1]);
            if (eos.Contains(tokens[^1])) break;
        }
        var decode = clock.Elapsed - first;
        logits?.Write(request.LogitsFile!);
        return new RunResult(tokens, request.Prompt.Count, (prefill + first).TotalSeconds, decode.TotalSeconds);
    }

    private static void PlayPrompt(CausalLanguageModel model, Session session, RunRequest request, RunProfile? profile, Action onStep)
    {
        if (!request.OneByOne)
        {
            using (profile?.Enter(RunPhase.Prefill)) model.Prefill(session, request.Prompt.ToArray(), request.ChunkTokens, allLogits: request.LogitsFile is not null, _ => onStep());
            return;
        }
        if (request.Prompt.Count == 0) throw new ModelException("There is no token to start from.");
        foreach (var token in request.Prompt)
        {
            using (profile?.Enter(RunPhase.Decode)) model.Decode(session, token);
            onStep();
        }
    }
}
