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
        var eos = request.EosTokens ?? model.EosTokens;
        void Look()
        {
            cancellation.ThrowIfCancellationRequested();
            taps?.TakeTaps();
        }

        var text = new TokenGenerator(model, session, request.Sampling, eos, request.DraftTokens ?? model.Layout.Mtp?.DraftTokens ?? 0, profile)
        {
            OnPromptStep = () =>
            {
                Look();
                logits?.TakeLogits("logits", model.LogitRows);
            },
            OnPromptDraft = () =>
            {
                Look();
                logits?.TakeDraftLogits("mtp.logits");
            },
            OnDecodeStep = rows => logits?.TakeLogits("generated.logits", rows),
        };
        var clock = Stopwatch.StartNew();
        PlayPrompt(model, text, session, request, profile);
        model.Device.Synchronize();
        var prefill = clock.Elapsed;
        taps?.Write(request.DumpFile!);

        var tokens = new List<int>();
        clock.Restart();
        var first = clock.Elapsed;
        while (tokens.Count < request.MaxNewTokens)
        {
            cancellation.ThrowIfCancellationRequested();
            var isFirst = tokens.Count == 0;
            foreach (var token in text.Next(request.MaxNewTokens - tokens.Count))
            {
                tokens.Add(token);
                onToken?.Invoke(token);
            }
            if (isFirst) first = clock.Elapsed;
            if (eos.Contains(tokens[^1])) break;
        }
        var decode = clock.Elapsed - first;
        logits?.Write(request.LogitsFile!);
        return new RunResult(tokens, request.Prompt.Count, (prefill + first).TotalSeconds, decode.TotalSeconds, text.Drafted, text.Accepted);
    }

    private static void PlayPrompt(CausalLanguageModel model, TokenGenerator text, Session session, RunRequest request, RunProfile? profile)
    {
        if (!request.OneByOne)
        {
            text.Prefill([.. request.Prompt], request.ChunkTokens, allLogits: request.LogitsFile is not null);
            return;
        }
        if (request.Prompt.Count == 0) throw new ModelException("There is no token to start from.");
        foreach (var token in request.Prompt)
        {
            using (profile?.Enter(RunPhase.Decode)) model.Decode(session, token);
            text.OnPromptStep?.Invoke();
        }
    }
}
