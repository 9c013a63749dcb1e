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
        var diagnostics = CompileChecks.Check(model, precision, options.Target, options.Limits);
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
        var limits = options.Limits;
        var lowering = new LoweringOptions(limits.Context, limits.Page, limits.SplitPages, options.Taps);
        ModelGraph Run(ModelGraph graph) => Pipeline.Run(graph, precision, limits, options.Passes ?? Pipeline.Default, options.PrintAfter);

        var prefill = Run(ModelLowering.LowerStep(model, Phase.Prefill, lowering));
        var decode = Run(ModelLowering.LowerStep(model, Phase.Decode, lowering));
        var greedy = Run(SamplingLowering.Lower(model, Phase.Greedy));
        var nucleus = Run(SamplingLowering.Lower(model, Phase.Nucleus));
        return new ModelPlan(
            model, precision, options.Target, limits,
            PhasePlanBuilder.Build(prefill), PhasePlanBuilder.Build(decode),
            PhasePlanBuilder.Build(greedy), PhasePlanBuilder.Build(nucleus),
            Weights(prefill, decode),
            [.. Enumerable.Range(model.Layers.Count, model.MtpDepth).Select(layer => $"model.layers.{layer}.")],
            new CachePlan(model.Layers.Count, model.Attention.CacheWidth, new FormatTable(precision).Activation, limits.Page),
            RopeTable.Of(model.Attention, limits.Context));
    }

    /// <summary>The weights of both graphs, layer by layer: the order in which a checkpoint holds them, more or less.</summary>
    private static EquatableArray<WeightTensor> Weights(ModelGraph prefill, ModelGraph decode)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var all = prefill.Weights.Concat(decode.Weights).Where(entry => seen.Add(entry.Weight.Key)).ToList();
        var embedding = all[0].Weight;
        int Place(WeightTensor weight, int? layer) => layer ?? (ReferenceEquals(weight, embedding) ? -1 : int.MaxValue);
        return all.OrderBy(entry => Place(entry.Weight, entry.Layer)).Select(entry => entry.Weight).ToEquatable();
    }
}
