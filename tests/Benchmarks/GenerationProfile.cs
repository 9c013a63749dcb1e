using System.Globalization;
using ModelDsl.Cli.Hosting;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Benchmarks;

/// <summary>Prefill and generation on the virtual GPU, and where the time goes, kernel by kernel.</summary>
internal static class GenerationProfile
{
    private const int MostPromptTokens = 128, MostNewTokens = 33, Rounds = 4;

    public static void Print(string checkpoint, string precision, TextWriter output)
    {
        var imported = ConfigImporter.Import(SourceText.FromBytes("config.json", File.ReadAllBytes(Path.Combine(checkpoint, "config.json"))), "model");
        ModelSpec model = FrontEnd.Bind(SourceText.From("model.dsm", imported.Text!)).Models[0];
        var random = new Random(1);
        int promptTokens = Math.Min(MostPromptTokens, model.Context / 2), newTokens = Math.Min(MostNewTokens, model.Context - promptTokens);
        var request = new RunRequest(Enumerable.Range(0, promptTokens).Select(_ => random.Next(model.Vocabulary)).ToArray(), newTokens, Sampling.Greedy, []);
        var options = new CompileOptions(PtxTarget.Sm90a, request.LimitsFor(model), false);
        var plan = ModelCompiler.Compile(model, BuiltInPrecision.ByName(precision)!, options).Plan!;
        using var device = new VirtualDevice();
        using Checkpoint weights = Checkpoint.Open(checkpoint);
        using CausalLanguageModel loaded = ModelHost.Load(plan, device, weights);
        for (int round = 0; round < Rounds; round++)
        {
            var before = device.Profile.Kernels.ToDictionary(k => k.Name, k => (k.Time, k.Launches, k.WarpInstructions));
            RunResult result = ModelRun.Play(loaded, request);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}: prefill {result.PrefillSeconds * 1e3:F1} ms, generation {result.NewTokensPerSecond:F1} tokens/s"));
            if (round < Rounds - 1) continue;
            // The last round alone: by then everything is compiled.
            var costs = device.Profile.Kernels.Select(k => (k.Name, Time: k.Time - before[k.Name].Time, Launches: k.Launches - before[k.Name].Launches, Instructions: k.WarpInstructions - before[k.Name].WarpInstructions));
            foreach (var cost in costs.Where(k => k.Launches > 0).OrderByDescending(k => k.Time))
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{cost.Time.TotalMilliseconds,9:F2} ms {cost.Launches,6} launches {cost.Time.TotalMicroseconds / cost.Launches,9:F1} us {cost.Time.TotalNanoseconds / cost.Instructions,7:F1} ns/warp instruction  {cost.Name}"));
        }
    }
}
