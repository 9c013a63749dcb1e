using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Tests.Scheduling;

public class ModelCompilerTests
{
    internal static readonly PlanLimits SmallLimits = new(
        PrefillTokens: 48, DecodeSequences: 4, Context: 96, LogitRows: 48, Page: 16, SplitPages: 2);

    internal static ModelPlan Compile(ModelSpec model, PrecisionSpec precision, PlanLimits? limits = null, bool taps = false, int draftTokens = 0)
    {
        var result = ModelCompiler.Compile(model, precision, new CompileOptions(PtxTarget.Sm90a, limits ?? SmallLimits, taps, draftTokens));
        Assert.Empty(result.Diagnostics);
        return result.Plan!;
    }

    [Fact]
    public void Every_policy_compiles_every_kind_of_model()
    {
        foreach (var model in new[] { Models.Micro, Models.Odd, Models.V2Lite })
            foreach (var precision in new[] { BuiltInPrecision.Fp32, BuiltInPrecision.Bf16, BuiltInPrecision.Fp8 })
                foreach (var taps in new[] { false, true })
                {
                    var plan = Compile(model, precision, taps: taps);
                    Assert.NotEmpty(plan.Prefill.Steps);
                    Assert.NotEmpty(plan.Decode.Steps);
                    Assert.All(
                        plan.Phases.SelectMany(phase => phase.Steps),
                        step => Assert.Equal(step.Kernel.Parameters.Length, step.Arguments.Count));
                }
    }

    [Fact]
    public void Drafting_makes_room_for_the_rows_that_verify_and_leaves_hidden_states()
    {
        foreach (var precision in new[] { BuiltInPrecision.Fp32, BuiltInPrecision.Bf16, BuiltInPrecision.Fp8 })
            foreach (var taps in new[] { false, true })
            {
                var plan = Compile(Models.Micro, precision, SmallLimits with { DecodeSequences = 1 }, taps, draftTokens: 3);
                Assert.Equal(4, plan.Limits.DecodeSequences);
                Assert.Equal((3, 128 * (precision.Name == "fp32" ? 4 : 2)), (plan.Mtp!.DraftTokens, plan.Mtp.HiddenRowBytes));
                foreach (var phase in new[] { plan.Prefill, plan.Decode, plan.Mtp.Prefill, plan.Mtp.Decode })
                    Assert.Single(phase.Steps, step => step.Arguments.Contains(new OutputArgument(StepOutput.Hidden)) && step.Kernel is RmsNormKernel);
                Assert.Equal(2, plan.Phases.Count(phase => phase.Steps.Any(step => step.Arguments.Contains(new InputArgument(StepInput.PreviousHidden)))));
                // The head reads the last rows of what the prefill step leaves.
                Assert.Contains(plan.Prefill.Steps[^1].Arguments, argument => argument is OutputArgument { Output: StepOutput.Hidden, Extra: not null });
            }
    }

    [Fact]
    public void Drafting_without_a_module_is_refused_at_the_model()
    {
        var result = ModelCompiler.Compile(
            Models.V2Lite, BuiltInPrecision.Bf16, new CompileOptions(PtxTarget.Sm90a, SmallLimits, DraftTokens: 1));
        Assert.Null(result.Plan);
        Assert.Equal((DiagnosticCode.DraftWithoutMtp, Models.V2Lite.Origin.Span), (result.Diagnostics.Single().Code, result.Diagnostics[0].Span));
    }

    [Fact]
    public void Taps_bear_the_names_and_shapes_of_the_goldens()
    {
        var taps = Compile(Models.Micro, BuiltInPrecision.Fp32, taps: true).Prefill.Taps.ToDictionary(tap => tap.Name);
        string[] expected =
        [
            .. Enumerable.Range(0, 4).Select(i => $"hidden.{i}"), "hidden.norm", .. Enumerable.Range(0, 3).Select(i => $"attn_out.{i}"),
            .. Enumerable.Range(1, 2).SelectMany(i => new[] { $"router.{i}.indices", $"router.{i}.weights", $"router.{i}.scores" }),
        ];
        Assert.Equal(expected.Order(), taps.Keys.Order());
        Assert.Equal([Dim.Tokens, 128], taps["hidden.3"].Shape);
        Assert.Equal([Dim.Tokens, 2], taps["router.1.indices"].Shape);
        Assert.Equal((DType.I32, DType.F32), (taps["router.1.indices"].Type, taps["router.2.scores"].Type));
        Assert.Equal([Dim.Tokens, 8], taps["router.2.scores"].Shape);
        Assert.Empty(Compile(Models.Micro, BuiltInPrecision.Fp32).Prefill.Taps);
    }

    [Fact]
    public void A_step_within_the_limits_fits_its_workspace_and_grid()
    {
        var plan = Compile(Models.V3, BuiltInPrecision.Fp8);
        foreach (var phase in plan.Phases)
            foreach (var step in phase.Steps)
            {
                long At(Dim size) => size.Evaluate(symbol => plan.Limits.Of(symbol, phase.Phase));
                Assert.InRange(At(step.Geometry.GridX), 1, int.MaxValue);
                Assert.InRange(At(step.Geometry.GridY), 1, 65535);
                Assert.InRange(At(step.Geometry.GridZ), 1, 65535);
                Assert.All(step.Arguments.OfType<WorkspaceArgument>(), at => Assert.InRange(at.Offset, 0, phase.WorkspaceBytes - 1));
            }
    }

    [Fact]
    public void One_kernel_serves_all_layers_that_look_alike()
    {
        var plan = Compile(Models.V3, BuiltInPrecision.Fp8);
        Assert.Equal(plan.Kernels.Count, plan.Kernels.Select(kernel => kernel.Name).Distinct().Count());
        Assert.InRange(plan.Kernels.Count, 30, 80);
        Assert.Equal((61, 576, DType.BF16, 70_272L), (plan.Cache.Layers, plan.Cache.Width, plan.Cache.Type, plan.Cache.BytesPerToken));
    }

    [Fact]
    public void A_cache_in_FP8_is_written_and_read_as_such_by_all_phases()
    {
        var options = new CompileOptions(PtxTarget.Sm90a, new PlanLimits(512, 2, 4096) { Fp8Cache = true }, DraftTokens: 1);
        var plan = ModelCompiler.Compile(Models.V3, BuiltInPrecision.Fp8, options).Plan!;
        Assert.Equal((62, 656, DType.E4M3, 40_672L), (plan.Cache.Layers, plan.Cache.Width, plan.Cache.Type, plan.Cache.BytesPerToken));
        var touching = plan.Phases.SelectMany(phase => phase.Steps).Where(step => step.Arguments.Any(argument => argument is CacheArgument)).ToArray();
        // Both prefills write and gather, both decodes write and attend.
        Assert.Equal(2 * (61 + 61) + 4, touching.Length);
        Assert.All(touching, step => Assert.Equal(DType.E4M3, step.Kernel.Parameters.Single(parameter => parameter.Name == "cache").Type));
    }

    [Fact]
    public void A_cache_in_FP8_is_refused_where_no_kernel_has_it()
    {
        var pages = new PlanLimits(64, 1, 256);
        string Refused(ModelSpec model, PrecisionSpec precision, PtxTarget target, PlanLimits? limits = null, EquatableArray<PassCall>? passes = null) =>
            ModelCompiler.Compile(model, precision, new CompileOptions(target, (limits ?? pages) with { Fp8Cache = true }, Passes: passes)).Diagnostics.Single().Message;
        Assert.Equal("no kernel keeps the cache of 'DeepSeekV3' in e4m3 on sm_89", Refused(Models.V3, BuiltInPrecision.Fp8, PtxTarget.Sm89));
        Assert.Equal("no kernel keeps the cache of 'DeepSeekV3' in e4m3 on sm_90a", Refused(Models.V3, BuiltInPrecision.Fp32, PtxTarget.Sm90a));
        Assert.Equal("no kernel keeps the cache of 'Micro' in e4m3 on sm_90a", Refused(Models.Micro, BuiltInPrecision.Bf16, PtxTarget.Sm90a));
        Assert.Equal("no kernel keeps the cache of 'DeepSeekV3' in e4m3 on sm_90a", Refused(Models.V3, BuiltInPrecision.Bf16, PtxTarget.Sm90a, pages with { Page = 32 }));
        EquatableArray<PassCall> portable = [.. Pipeline.Default.Select(call => call.Name == "select-kernels" ? new PassCall(call.Name, [new PassSetting("hopper", "off")]) : call)];
        Assert.Equal("No kernel but those of Hopper's own attends to a cache in e4m3.", Refused(Models.V3, BuiltInPrecision.Bf16, PtxTarget.Sm90a, passes: portable));
    }

    [Fact]
    public void Prefill_ends_with_the_wanted_rows_only()
    {
        var plan = Compile(Models.Micro, BuiltInPrecision.Bf16);
        var head = plan.Prefill.Steps[^1];
        Assert.Equal(new DimArgument(Dim.LogitRows), head.Arguments[^1]);
        var norm = plan.Prefill.Steps[^2];
        Assert.Equal(new DimArgument(Dim.LogitRows), norm.Arguments[^1]);
        var stream = Assert.IsType<WorkspaceArgument>(norm.Arguments[0]);

        // Of 10 rows of 128 BF16 numbers, the last 3.
        Assert.Equal(7 * 128 * 2, stream.Extra!.Evaluate(symbol => symbol == DimSymbol.Tokens ? 10 : 3));
        Assert.Equal(new DimArgument(Dim.Tokens), plan.Decode.Steps[^1].Arguments[^1]);
    }

    [Theory]
    [InlineData(0, 1, 64, "prefill tokens")]
    [InlineData(65, 1, 64, "prefill tokens")]
    [InlineData(16, 0, 64, "decode sequences")]
    [InlineData(16, 1, 0, "context")]
    public void Limits_out_of_range_are_said(int prefill, int decode, int context, string limit)
    {
        var result = ModelCompiler.Compile(
            Models.Micro, BuiltInPrecision.Bf16, new CompileOptions(PtxTarget.Sm80, new PlanLimits(prefill, decode, context)));
        Assert.Null(result.Plan);
        Assert.Contains(result.Diagnostics, diagnostic => diagnostic.Id == "DSM0419" && diagnostic.Message.Contains(limit));
    }

    [Fact]
    public void What_no_kernel_can_do_is_said()
    {
        var limits = SmallLimits;
        Assert.Equal("DSM0416", Refused(BuiltInPrecision.Fp8, new CompileOptions(PtxTarget.Sm80, limits)).Id);
        var half = BuiltInPrecision.Bf16 with { Gemm = BuiltInPrecision.Bf16.Gemm with { Format = NumberFormat.Fp16 } };
        Assert.Contains("fp16", Refused(half, new CompileOptions(PtxTarget.Sm90a, limits)).Message);
        var coarse = BuiltInPrecision.Fp8 with { Gemm = BuiltInPrecision.Fp8.Gemm with { Activations = new TileShape(1, 64) } };
        Assert.Contains("1 x 64", Refused(coarse, new CompileOptions(PtxTarget.Sm90a, limits)).Message);
        Assert.Contains(
            "no pass 'fuze'",
            Refused(BuiltInPrecision.Bf16, new CompileOptions(PtxTarget.Sm90a, limits, Passes: [new PassCall("fuze")])).Message);
        Assert.Contains("no memory map", Refused(
            BuiltInPrecision.Bf16,
            new CompileOptions(
                PtxTarget.Sm90a, limits,
                Passes: [new PassCall("place-precision"), new PassCall("fuse"), new PassCall("select-kernels")])).Message);
    }

    private static Diagnostic Refused(PrecisionSpec precision, CompileOptions options)
    {
        var result = ModelCompiler.Compile(Models.Micro, precision, options);
        Assert.Null(result.Plan);
        return Assert.Single(result.Diagnostics);
    }
}
