using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Scheduling;

namespace ModelDsl.Compiler.Tests.Passes;

/// <summary>Graphs as they stand after some of the passes.</summary>
internal static class Graphs
{
    public static PrecisionSpec[] Policies { get; } = [BuiltInPrecision.Fp32, BuiltInPrecision.Bf16, BuiltInPrecision.Fp8];

    public static ModelGraph Lowered(ModelSpec model, Phase phase, bool taps = false, PlanLimits? limits = null)
    {
        limits ??= ModelCompilerTests.SmallLimits;
        var isMtp = phase is Phase.MtpPrefill or Phase.MtpDecode;
        var options = new LoweringOptions(limits.Context, limits.Page, limits.SplitPages, taps, Drafts: isMtp);
        return isMtp ? MtpLowering.Lower(model, phase, options) : ModelLowering.LowerStep(model, phase, options);
    }

    /// <summary>After the given passes, in order; options in parentheses are not needed here.</summary>
    public static ModelGraph After(ModelGraph graph, PrecisionSpec precision, params string[] passes) =>
        After(graph, precision, ModelCompilerTests.SmallLimits, [.. passes.Select(pass => new PassCall(pass))]);

    public static ModelGraph After(ModelGraph graph, PrecisionSpec precision, PlanLimits limits, params PassCall[] passes) =>
        Pipeline.Run(graph, precision, limits, [.. passes]);

    public static PassCall With(string pass, string option, string value) => new(pass, [new PassSetting(option, value)]);
}
