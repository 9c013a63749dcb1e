using System.Text;
using System.Text.RegularExpressions;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Scheduling;
using static ModelDsl.Testing.Verifier;

namespace ModelDsl.Compiler.Tests.Passes;

/// <summary>What the passes make of the golden micro model, stage by stage, for readers of a diff.</summary>
public class StageSnapshotTests
{
    [Theory]
    [InlineData("fp32", Phase.Prefill)]
    [InlineData("fp32", Phase.Decode)]
    [InlineData("bf16", Phase.Prefill)]
    [InlineData("bf16", Phase.Decode)]
    [InlineData("fp8", Phase.Prefill)]
    [InlineData("fp8", Phase.Decode)]
    [InlineData("bf16", Phase.MtpDecode)]
    [InlineData("fp8", Phase.MtpPrefill)]
    public Task Mathematics_to_fused_ops(string policy, Phase phase)
    {
        var text = new StringBuilder();
        var passes = Pipeline.Default.Take(2).ToEquatable();
        Pipeline.Run(
            Graphs.Lowered(Models.Micro, phase), BuiltInPrecision.ByName(policy)!, ModelCompilerTests.SmallLimits, passes,
            (pass, graph) => text.Append($"// after {pass}\n{graph.ToText()}\n"));
        return Verify(text.ToString(), suffix: $"{policy}_{phase.Text()}");
    }

    [Theory]
    [InlineData(Phase.Prefill)]
    [InlineData(Phase.Decode)]
    public Task Taps_keep_what_fusion_would_drop(Phase phase) => Verify(
        Graphs.After(Graphs.Lowered(Models.Micro, phase, taps: true), BuiltInPrecision.Fp8, "place-precision", "fuse").ToText(),
        suffix: phase.ToString().ToLowerInvariant());

    /// <summary>Launches and offsets; kernels' names, which are theirs to choose, are left out.</summary>
    [Theory]
    [InlineData("bf16", Phase.Prefill)]
    [InlineData("fp8", Phase.Decode)]
    public Task Launches_at_their_offsets(string policy, Phase phase)
    {
        var graph = Graphs.After(
            Graphs.Lowered(Models.Micro, phase), BuiltInPrecision.ByName(policy)!, "place-precision", "fuse", "select-kernels", "plan-memory");
        var text = Regex.Replace(graph.ToText(), " by [a-z0-9_]+ :", " by a kernel :");
        return Verify(text, suffix: $"{policy}_{phase.Text()}");
    }
}
