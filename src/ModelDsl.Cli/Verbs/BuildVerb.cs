using System.CommandLine;
using System.Diagnostics;
using System.Text;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc build FILE -o DIR</c>: kernels as PTX, the host as C#, the plan and the manifest as JSON.</summary>
internal static class BuildVerb
{
    private static readonly string[] Products = ["ptx", "csharp", "plan", "graph", "training"];

    public static Command Create(IoContext io)
    {
        var verb = new Command("build", "Writes PTX kernels, the C# host, the launch plan and a manifest.");
        var input = new CompileInput();
        var output = new Option<string>("--output", "-o") { Description = "The folder to write to.", Required = true };
        var emit = new Option<string>("--emit") { Description = "Which of ptx, csharp, plan, graph, training; comma-separated.", DefaultValueFactory = _ => "ptx,csharp,plan" };
        var explain = new Option<string?>("--explain") { Description = "Says why: kernels (which there are, their grids, what the cost model expects of each choice)." };
        var lines = new Option<bool>("--line-info") { Description = "Kernels say which line of C# each instruction comes from (.loc), for profilers and checks." };
        var limits = new LimitOptions();
        input.AddTo(verb);
        verb.Options.Add(output);
        verb.Options.Add(emit);
        verb.Options.Add(explain);
        verb.Options.Add(lines);
        limits.AddTo(verb);
        verb.SetAction(parsed =>
        {
            var wanted = parsed.GetValue(emit)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (wanted.FirstOrDefault(product => !Products.Contains(product)) is { } unknown)
                throw TroubleException.Usage($"--emit: there is no '{unknown}'; there are {string.Join(", ", Products)}");
            var topic = parsed.GetValue(explain);
            if (topic is not (null or "kernels")) throw TroubleException.Usage($"--explain {topic}: there is kernels");
            var clock = Stopwatch.StartNew();
            var graphs = new Dictionary<string, string>();
            Action<string, ModelGraph>? watch = wanted.Contains("graph") ? (_, graph) => graphs[graph.Phase.Text()] = graph.ToText() : null;
            var plan = input.Compile(parsed, io, model => limits.For(parsed, model), watch: watch);
            if (plan is null) return ExitCode.Diagnostics;
            if (wanted.Contains("training"))
                foreach (var (name, graph) in TrainingGraphs.Of(plan.Model, plan.Precision, input.Train, input.Printer(parsed, io)))
                    graphs[name] = graph.ToText();
            var folder = parsed.GetValue(output)!;
            var files = Files(plan, wanted, graphs, input.SourceOf, parsed.GetValue(lines));
            // Kernels that only an earlier build had are no part of this one; they go where the manifest that names them goes.
            OutputFolder.Write(folder, files, wanted.Contains("ptx") ? Manifest.KernelFiles(Path.Combine(folder, "manifest.json")) : []);
            if (topic is not null) io.Out.WriteLine(KernelExplanation.Write(plan));
            io.Out.WriteLine(
                $"{plan.Model.Name}, {plan.Precision.Name}, {plan.Target}: {plan.Kernels.Count} kernels, {plan.Prefill.Steps.Count} launches per prefill step, "
                + $"{plan.Decode.Steps.Count} per decode step, {files.Sum(file => (long)Encoding.UTF8.GetByteCount(file.Text)) / 1024:N0} KiB in {folder} "
                + $"after {clock.Elapsed.TotalSeconds:0.0} s");
            return ExitCode.Success;
        });
        return verb;
    }

    private static List<(string Path, string Text)> Files(
        ModelPlan plan, string[] wanted, Dictionary<string, string> graphs, Func<Origin, string?> place, bool lines)
    {
        var files = new List<(string, string)>();
        if (wanted.Contains("ptx"))
        {
            var kernels = KernelEmission.Emit(plan, lines);
            files.AddRange(kernels.Select(kernel => (kernel.File, kernel.Ptx)));
            files.Add(("manifest.json", Manifest.Write(plan, kernels, place)));
        }

        if (wanted.Contains("csharp")) files.Add(($"{HostCodeGenerator.ClassName(plan)}.g.cs", HostCodeGenerator.Generate(plan)));
        if (wanted.Contains("plan")) files.Add(("plan.json", PlanJson.Write(plan)));
        files.AddRange(graphs.Select(graph => ($"graph/{graph.Key}.txt", graph.Value)));
        return files;
    }
}
