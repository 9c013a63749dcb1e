using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.PlacePrecision;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler;

/// <summary>What became of a model.</summary>
/// <param name="Plan">Null exactly if there are diagnostics.</param>
public sealed record CompileResult(ModelPlan? Plan, ImmutableArray<Diagnostic> Diagnostics);

/// <summary>Specs in, plan out. A pure function: the same specs and options give the same plan.</summary>
public static class ModelCompiler
{
    /// <summary>Compiles all phases of inference.</summary>
    /// <exception cref="InvalidGraphException">A pass broke the rules: a mistake in the compiler, not in the model.</exception>
    public static CompileResult Compile(ModelSpec model, PrecisionSpec precision, CompileOptions options)
    {
        var diagnostics = CompileChecks.Check(model, precision, options);
        if (!diagnostics.IsEmpty) return new CompileResult(null, diagnostics);
        try
        {
            return new CompileResult(Plan(model, precision, options), []);
        }
        catch (PassException exception)
        {
            return new CompileResult(null, [CompileChecks.PassRefused(model, exception)]);
        }
    }

    private static ModelPlan Plan(ModelSpec model, PrecisionSpec precision, CompileOptions options)
    {
        // Every draft is a row of the decode step that verifies it.
        var limits = options.Limits with { DecodeSequences = Math.Max(options.Limits.DecodeSequences, options.DraftTokens + 1) };
        var drafts = options.DraftTokens > 0;
        var lowering = new LoweringOptions(limits.Context, limits.Page, limits.SplitPages, options.Taps, drafts);
        ModelGraph Run(ModelGraph graph) => Pipeline.Run(graph, precision, limits, options.Passes ?? Pipeline.Default, options.PrintAfter, target: options.Target);

        var steps = new List<ModelGraph>
        {
            Run(ModelLowering.LowerStep(model, Phase.Prefill, lowering)),
            Run(ModelLowering.LowerStep(model, Phase.Decode, lowering)),
        };
        var greedy = Run(SamplingLowering.Lower(model, Phase.Greedy));
        var nucleus = Run(SamplingLowering.Lower(model, Phase.Nucleus));
        if (drafts)
        {
            steps.Add(Run(MtpLowering.Lower(model, Phase.MtpPrefill, lowering)));
            steps.Add(Run(MtpLowering.Lower(model, Phase.MtpDecode, lowering)));
        }

        var activation = new FormatTable(precision).Activation;
        return new ModelPlan(
            model, precision, options.Target, limits,
            PhasePlanBuilder.Build(steps[0]), PhasePlanBuilder.Build(steps[1]),
            PhasePlanBuilder.Build(greedy), PhasePlanBuilder.Build(nucleus),
            Weights(steps),
            IgnoredPrefixes(model, drafts),
            Cache(model.Layers.Count + (drafts ? 1 : 0), model.Attention, activation, limits),
            RopeTable.Of(model.Attention, limits.Context),
            drafts
                ? new MtpPlan(
                    PhasePlanBuilder.Build(steps[2]), PhasePlanBuilder.Build(steps[3]), options.DraftTokens, model.Hidden * activation.Bytes())
                : null);
    }

    private static CachePlan Cache(int layers, MlaSpec mla, DType activation, PlanLimits limits) => limits.Fp8Cache
        ? new CachePlan(layers, new Fp8CacheRow(mla.KvRank, mla.RopeDim).Bytes, DType.E4M3, limits.Page)
        : new CachePlan(layers, mla.CacheWidth, activation, limits.Page);

    private static EquatableArray<string> IgnoredPrefixes(ModelSpec model, bool drafts) =>
    [
        .. drafts ? WeightNames.MtpCopies(model.Layers.Count) : [],
        .. Enumerable.Range(model.Layers.Count, model.MtpDepth).Skip(drafts ? 1 : 0).Select(layer => $"model.layers.{layer}."),
    ];

    /// <summary>The weights of all graphs, layer by layer: the order in which a checkpoint holds them, more or less.</summary>
    private static EquatableArray<WeightTensor> Weights(IEnumerable<ModelGraph> graphs)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var all = graphs.SelectMany(graph => graph.Weights).Where(entry => seen.Add(entry.Weight.Key)).ToList();
        var embedding = all[0].Weight;
        int Place(WeightTensor weight, int? layer) => layer ?? (ReferenceEquals(weight, embedding) ? -1 : int.MaxValue);
        return all.OrderBy(entry => Place(entry.Weight, entry.Layer)).Select(entry => entry.Weight).ToEquatable();
    }
}
