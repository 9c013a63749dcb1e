using System.Text.Json;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;

namespace ModelDsl.Compiler.Tests.Scheduling;

public class PlanJsonTests
{
    [Fact]
    public void Is_JSON_that_says_what_the_plan_says()
    {
        var plan = ModelCompilerTests.Compile(Models.Micro, BuiltInPrecision.Fp8, taps: true);
        using var json = JsonDocument.Parse(PlanJson.Write(plan));
        var root = json.RootElement;
        Assert.Equal("sm_90a", root.GetProperty("target").GetString());
        Assert.Equal(plan.WorkspaceBytes, root.GetProperty("workspace_bytes").GetInt64());
        Assert.Equal(3 * (64 + 16) * 2, plan.Cache.BytesPerToken);
        Assert.Equal(plan.Weights.Count, root.GetProperty("weights").GetArrayLength());
        Assert.Equal(
            plan.Rope.InverseFrequencies.Select(f => f),
            root.GetProperty("rope").GetProperty("inverse_frequencies").EnumerateArray().Select(f => f.GetSingle()));

        var phases = root.GetProperty("phases").EnumerateArray().ToList();
        Assert.Equal(["prefill", "decode", "greedy", "nucleus"], phases.Select(phase => phase.GetProperty("name").GetString()));
        Assert.Equal(plan.Prefill.Steps.Count, phases[0].GetProperty("steps").GetArrayLength());
        Assert.Equal(
            plan.Prefill.Taps.Select(tap => tap.Name),
            phases[0].GetProperty("taps").EnumerateArray().Select(tap => tap.GetProperty("name").GetString()));
        Assert.Equal(
            plan.Kernels.Select(kernel => kernel.Name), root.GetProperty("kernels").EnumerateArray().Select(
                kernel => kernel.GetProperty("name").GetString()));
    }

    [Fact]
    public void Two_compilations_give_the_same_text()
    {
        foreach (var model in new[] { Models.Micro, Models.Odd, Models.V2Lite })
            Assert.Equal(
                PlanJson.Write(
                    ModelCompilerTests.Compile(model, BuiltInPrecision.Fp8)),
                    PlanJson.Write(ModelCompilerTests.Compile(model, BuiltInPrecision.Fp8)));
    }
}
