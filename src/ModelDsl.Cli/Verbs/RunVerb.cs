using System.CommandLine;
using System.Text.Json;
using ModelDsl.Cli.Hosting;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Profiling;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc run FILE --weights DIR</c>: compiles, loads a checkpoint, generates.</summary>
internal static class RunVerb
{
    private const int UsualNewTokens = 64;

    public static Command Create(IoContext io)
    {
        var verb = new Command("run", "Loads a Hugging Face checkpoint and generates text, on a GPU or in software.");
        var input = new CompileInput();
        var device = new DeviceOption();
        var profiling = new ProfileOption();
        var weights = new Option<string>("--weights") { Description = "The checkpoint's folder: safetensors, config.json, tokenizer.json.", Required = true };
        var prompt = new Option<string?>("--prompt") { Description = "Text to go on from." };
        var ids = new Option<string?>("--ids") { Description = "Token ids to go on from: 1,2,3 or @FILE." };
        var maxNew = new Option<int?>("--max-new") { Description = $"New tokens; {UsualNewTokens}, or none where only --logits or --dump is asked for." };
        var temperature = new Option<float>("--temperature") { Description = "0 takes the likeliest token.", DefaultValueFactory = _ => 0 };
        var topP = new Option<float>("--top-p") { Description = "Draws from the likeliest tokens with this much probability.", DefaultValueFactory = _ => 1 };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same text.", DefaultValueFactory = _ => 0 };
        var ignoreEos = new Option<bool>("--ignore-eos") { Description = "Goes on after the token that ends a text." };
        var chunk = new Option<int?>("--chunk") { Description = "Prompt tokens per prefill step." };
        var oneByOne = new Option<bool>("--one-by-one") { Description = "Feeds the prompt through decode steps, a token each." };
        var logits = new Option<string?>("--logits") { Description = "Writes the prompt's logits, f32 [positions, vocabulary], as safetensors." };
        var dump = new Option<string?>("--dump") { Description = "Writes intermediate tensors of the prompt as safetensors." };
        var json = new Option<bool>("--json") { Description = "Ends with one JSON object; no text before it." };
        input.AddTo(verb);
        device.AddTo(verb);
        profiling.AddTo(verb);
        foreach (var option in new Option[] { weights, prompt, ids, maxNew, temperature, topP, seed, ignoreEos, chunk, oneByOne, logits, dump, json })
            verb.Options.Add(option);
        verb.SetAction(parsed =>
        {
            if (parsed.GetValue(prompt) is null == parsed.GetValue(ids) is null) throw TroubleException.Usage("run needs --prompt or --ids, and not both");
            if (parsed.GetValue(chunk) is <= 0) throw TroubleException.Usage("--chunk should be at least 1");
            if (parsed.GetValue(logits) is { } one && parsed.GetValue(dump) is { } other && Path.GetFullPath(one) == Path.GetFullPath(other))
                throw TroubleException.Usage("--logits and --dump name the same file");
            var profile = profiling.Begin(parsed);
            _ = HostCompiler.WarmUp();
            var folder = parsed.GetValue(weights)!;
            var tokenizer = TokenizerOf(folder, needed: parsed.GetValue(prompt) is not null);
            var tokens = parsed.GetValue(ids) is { } list ? TokenIds.Parse(list) : tokenizer!.Encode(parsed.GetValue(prompt)!, addSpecialTokens: true);
            if (tokens.Length == 0) throw TroubleException.Usage("the prompt is empty: there is no token to start from");
            var onlyLooks = parsed.GetValue(logits) is not null || parsed.GetValue(dump) is not null;
            var request = new RunRequest(
                tokens,
                parsed.GetValue(maxNew) ?? (onlyLooks ? 0 : UsualNewTokens),
                new Sampling(parsed.GetValue(temperature), parsed.GetValue(topP), parsed.GetValue(seed)),
                parsed.GetValue(ignoreEos) ? [] : null,
                parsed.GetValue(chunk),
                parsed.GetValue(logits),
                parsed.GetValue(dump),
                parsed.GetValue(oneByOne));
            if (input.Compile(parsed, io, request.LimitsFor, taps: request.DumpFile is not null) is not { } plan) return ExitCode.Diagnostics;
            using var gpu = device.Open(parsed, profile);
            using var checkpoint = Checkpoint.Open(folder);
            using var model = LoadingProgress.Watch(
                io, progress => ModelHost.Load(plan, gpu, checkpoint, new ModelOptions(ValidIds: tokenizer?.VocabularySize), progress));
            var text = tokenizer is null ? null : new StreamDecoder(tokenizer, skipSpecial: true);
            if (!parsed.GetValue(json) && parsed.GetValue(prompt) is { } start) io.Out.Write(start);
            var result = ModelRun.Play(model, request, parsed.GetValue(json) ? null : id => io.Out.Write(text?.Push(id) ?? $"{id} "), profile);
            if (parsed.GetValue(json))
            {
                io.Out.WriteLine(Json(result, tokenizer, profile));
                profiling.Report(parsed, io, profile);
                return ExitCode.Success;
            }

            io.Out.Write(text?.Flush());
            if (request.MaxNewTokens > 0) io.Out.WriteLine();
            io.Error.WriteLine(
                $"{plan.Model.Name}, {plan.Precision.Name}, {gpu.Name}: {result.PromptTokens} prompt tokens at {result.PromptTokensPerSecond:0} tokens/s, "
                + $"{result.Tokens.Count} new tokens at {result.NewTokensPerSecond:0.0} tokens/s");
            profiling.Report(parsed, io, profile);
            return ExitCode.Success;
        });
        return verb;
    }

    /// <summary>A checkpoint without a tokenizer still runs on ids.</summary>
    private static Tokenizer? TokenizerOf(string folder, bool needed)
    {
        if (needed || File.Exists(Path.Combine(folder, "tokenizer.json"))) return Tokenizer.Load(folder);
        return null;
    }

    private static string Json(RunResult result, Tokenizer? tokenizer, RunProfile? profile)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("tokens");
            foreach (var token in result.Tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
            if (tokenizer is not null) json.WriteString("text", tokenizer.Decode([.. result.Tokens], skipSpecial: true));
            json.WriteNumber("prompt_tokens", result.PromptTokens);
            json.WriteNumber("prompt_tokens_per_second", Math.Round(result.PromptTokensPerSecond, 2));
            json.WriteNumber("tokens_per_second", Math.Round(result.NewTokensPerSecond, 2));
            if (profile is not null)
            {
                json.WritePropertyName("profile");
                ProfileJson.Write(json, profile.Phases());
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
