using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Tests.Scheduling;

public class ModelCompilerTests
{
    internal static readonly PlanLimits SmallLimits = new(PrefillTokens: 48, DecodeSequences: 4, Context: 96, LogitRows: 48, Page: 16, SplitPages: 2);

    internal static ModelPlan Compile(ModelSpec model, PrecisionSpec precision, PlanLimits? limits = null, bool taps = false)
    {
        var result = ModelCompiler.Compile(model, precision, new CompileOptions(PtxTarget.Sm90a, limits ?? SmallLimits, taps));
        Assert.Empty(result.Diagnostics);
        return result.Plan!;
    }

    [Fact]
    public void Every_policy_compiles_every_model()
    {
        foreach (var model in new[] { Models.Micro, Models.Odd, Models.V2Lite, Models.V2, Models.V3 })
            foreach (var precision in new[] { BuiltInPrecision.Fp32, BuiltInPrecision.Bf16, BuiltInPrecision.Fp8 })
                foreach (var taps in new[] { false, true })
                {
                    var plan = Compile(model, precision, taps: taps);
                    Assert.NotEmpty(plan.Prefill.Steps);
                    Assert.NotEmpty(plan.Decode.Steps);
                    Assert.All(plan.Phases.SelectMany(phase => phase.Steps), step => Assert.Equal(step.Kernel.Parameters.Length, step.Arguments.Count));
                }
    }
}
