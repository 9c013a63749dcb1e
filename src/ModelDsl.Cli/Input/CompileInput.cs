using System.CommandLine;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Cli.Input;

/// <summary>What <c>build</c> and <c>run</c> share: which model at which precision for which target, through which passes.</summary>
public sealed class CompileInput
{
    private readonly Option<string?> _precision = new("--precision")
    {
        Description = "A policy of the file, or fp32, bf16, fp8. Otherwise that of --serve or --train, the only one declared, or bf16.",
    };

    private readonly Option<string?> _target = new("--target")
    {
        Description = "PTX target such as sm_90a. Otherwise that of the cluster's GPU, or the oldest that has what the precision needs.",
    };

    private readonly Option<string?> _passes = new("--passes") { Description = "Runs these passes instead of the usual ones: \"place-precision,fuse,…\"." };

    private readonly Option<string?> _serve = new("--serve") { Description = "Takes model, precision, cluster and the cache's pages and format from this serve block." };

    private readonly Option<string?> _train = new("--train") { Description = "Takes model, precision and cluster from this train block." };

    private readonly Option<string[]> _printAfter = new("--print-after")
    {
        Description = "Prints the graph after this pass (lower is the first; all: after each). May be repeated.",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    private readonly DraftOption _draft = new();

    private BoundProgram? _bound;

    /// <summary>The train block that was named, else the first of the file, known once that is read; null: there is none.</summary>
    public TrainSpec? Train { get; private set; }

    public ProgramInput Program { get; } = new();

    public void AddTo(Command verb)
    {
        Program.AddTo(verb);
        foreach (var option in new Option[] { _precision, _target, _serve, _train, _passes, _printAfter }) verb.Options.Add(option);
        _draft.AddTo(verb);
    }

    /// <summary>Reads, binds and compiles; prints diagnostics and the graphs asked for.</summary>
    /// <param name="limits">The step sizes for a model.</param>
    /// <param name="runsOn">The device's target: the cluster's is not taken where it would not run. Null: nothing is run.</param>
    /// <returns>The plan, or null if there were errors.</returns>
    public ModelPlan? Compile(
        ParseResult parsed, IoContext io, Func<ModelSpec, PlanLimits> limits, bool taps = false, Action<string, ModelGraph>? watch = null, string? runsOn = null)
    {
        if (Program.ReadAndReport(parsed, io) is not { } program) return null;
        _bound = program;
        var choice = Choose(parsed, program, runsOn);
        var options = new CompileOptions(choice.Target, limits(choice.Model) with { Page = choice.Cache.Page, Fp8Cache = choice.Cache.Format == NumberFormat.E4M3 }, taps, choice.DraftTokens, Passes(parsed), Printer(parsed, io, watch));
        var result = ModelCompiler.Compile(choice.Model, choice.Precision, options);
        DiagnosticPrinter.Print(result.Diagnostics, program.Source, io);
        return result.Plan;
    }

    /// <summary>Prints a graph after the passes that <c>--print-after</c> names.</summary>
    /// <param name="watch">Gets every graph besides.</param>
    public Action<string, ModelGraph> Printer(ParseResult parsed, IoContext io, Action<string, ModelGraph>? watch = null)
    {
        var wanted = parsed.GetValue(_printAfter)!;
        var known = Pipeline.Catalogue.Select(pass => pass.Name).Append("lower").Append("all").ToArray();
        if (wanted.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw TroubleException.Usage($"--print-after: there is no pass '{unknown}'; there are {string.Join(", ", known)}");
        return (pass, graph) =>
        {
            if (wanted.Contains(pass) || wanted.Contains("all")) io.Out.WriteLine($"// {graph.Phase}, after {pass}\n{graph.ToText()}");
            watch?.Invoke(pass, graph);
        };
    }

    /// <summary><c>file:line:column</c> of what was written there; null for what nobody wrote.</summary>
    public string? SourceOf(Origin origin)
    {
        if (_bound?.Source(origin.Span.Path) is not { } source) return null;
        var (line, column) = source.Locate(origin.Span.Start);
        return $"{Path.GetFileName(source.Path)}:{line}:{column}";
    }

    private Choice Choose(ParseResult parsed, BoundProgram program, string? runsOn)
    {
        var serve = Named(parsed.GetValue(_serve), program.Serves, block => block.Name, "serve");
        var train = Named(parsed.GetValue(_train), program.Trains, block => block.Name, "train");
        if (serve is not null && train is not null) throw TroubleException.Usage("--serve and --train exclude each other");
        Train = train ?? program.Trains.FirstOrDefault();
        var model = serve?.Model ?? train?.Model ?? Program.Model(parsed, program);
        var precision = parsed.GetValue(_precision) is { } name
            ? program.Precision(name) ?? throw TroubleException.Usage($"there is no precision '{name}'; built in are fp32, bf16, fp8")
            : serve?.Precision ?? train?.Precision ?? CompileDefaults.Precision(program);
        var cluster = serve?.Cluster ?? train?.Cluster ?? CompileDefaults.Cluster(program);
        var clusters = cluster is not null && (runsOn is null || RunsOn(cluster.Gpu.Target, runsOn)) ? cluster.Gpu.Target : null;
        var target = parsed.GetValue(_target) ?? clusters ?? CompileDefaults.Target(precision).Name;
        var known = PtxTarget.Find(target)
            ?? throw TroubleException.Usage($"there is no target '{target}'; there are {string.Join(", ", PtxTarget.All.Select(t => t.Name))}");
        return new Choice(model, precision, known, _draft.Tokens(parsed, serve?.Decode?.Draft ?? 0), serve?.KvCache ?? KvCacheSpec.Default);
    }

    /// <summary>Code for a target with a suffix runs on that architecture alone, other code on newer ones too.</summary>
    private static bool RunsOn(string target, string device) =>
        target == device || (PtxTarget.Find(target) is { Suffix: "" } code && PtxTarget.Find(device) is { } there && code.Capability <= there.Capability);

    private EquatableArray<PassCall>? Passes(ParseResult parsed)
    {
        if (parsed.GetValue(_passes) is not { } text) return null;
        var calls = PipelineText.TryParse(text, out var problem) ?? throw TroubleException.Usage($"--passes: {problem}");
        return calls.Select(call => new PassCall(call.Name, call.Options.Select(o => new PassSetting(o.Name, o.Value)).ToEquatable())).ToEquatable();
    }

    private static T? Named<T>(string? name, IEnumerable<T> blocks, Func<T, string> nameOf, string kind) where T : class
    {
        if (name is null) return null;
        return blocks.FirstOrDefault(block => nameOf(block) == name)
            ?? throw TroubleException.Usage($"there is no {kind} '{name}'; declared are: {string.Join(", ", blocks.Select(nameOf))}");
    }

    private sealed record Choice(ModelSpec Model, PrecisionSpec Precision, PtxTarget Target, int DraftTokens, KvCacheSpec Cache);
}
