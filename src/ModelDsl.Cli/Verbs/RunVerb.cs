using System.CommandLine;
using ModelDsl.Cli.Hosting;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc run FILE --weights DIR</c>: compiles, loads a checkpoint, generates.</summary>
internal static class RunVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("run", "Loads a Hugging Face checkpoint and generates text, on a GPU or in software.");
        var (program, device, check, profiling, run) = (new CompileInput(), new DeviceOption(), new CheckOption(), new ProfileOption(), new RunInput());
        var json = new Option<bool>("--json") { Description = "Ends with one JSON object; no text before it." };
        program.AddTo(verb);
        device.AddTo(verb);
        check.AddTo(verb);
        profiling.AddTo(verb);
        run.AddTo(verb);
        verb.Options.Add(json);
        verb.SetAction(parsed =>
        {
            run.Check(parsed);
            var checks = check.Of(parsed);
            var profile = profiling.Begin(parsed);
            _ = HostCompiler.WarmUp();
            var tokenizer = run.LoadTokenizer(parsed);
            var request = run.Request(parsed, tokenizer);
            var own = device.Open(parsed, checks, countsClasses: profile is not null);
            using var gpu = profile?.Watch(own) ?? own;
            return CheckOption.Report(own, io, () =>
            {
                if (program.Compile(parsed, io, request.LimitsFor, taps: request.DumpFile is not null, runsOn: gpu.Target) is not { } plan)
                    return ExitCode.Diagnostics;
                if (plan.Mtp is not null && request.OneByOne) throw TroubleException.Usage("--speculate and --one-by-one exclude each other");
                using var checkpoint = Checkpoint.Open(run.Weights(parsed));
                using var model = LoadingProgress.Watch(
                    io, progress => ModelHost.Load(plan, gpu, checkpoint, new ModelOptions(ValidIds: tokenizer?.VocabularySize), progress, lines: checks != default));
                if (parsed.GetValue(json))
                {
                    io.Out.WriteLine(RunJson.Write(ModelRun.Play(model, request, profile: profile), tokenizer, profile));
                    profiling.Report(parsed, io, profile);
                    return ExitCode.Success;
                }

                var text = tokenizer is null ? null : new StreamDecoder(tokenizer, skipSpecial: true);
                io.Out.Write(run.Prompt(parsed));
                var result = ModelRun.Play(model, request, id => io.Out.Write(text?.Push(id) ?? $"{id} "), profile);
                io.Out.Write(text?.Flush());
                if (request.MaxNewTokens > 0) io.Out.WriteLine();
                io.Error.WriteLine(
                    $"{plan.Model.Name}, {plan.Precision.Name}, {gpu.Name}: {result.PromptTokens} prompt tokens at {result.PromptTokensPerSecond:0} tokens/s, "
                    + $"{result.Tokens.Count} new tokens at {result.NewTokensPerSecond:0.0} tokens/s"
                    + (plan.Mtp is null ? "" : $", {result.Accepted} of {result.Drafted} drafts accepted ({result.AcceptedShare:0%})"));
                profiling.Report(parsed, io, profile);
                return ExitCode.Success;
            });
        });
        return verb;
    }
}
