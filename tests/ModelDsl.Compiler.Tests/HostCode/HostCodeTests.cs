using System.Reflection;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Tests;
using Models = ModelDsl.Compiler.Tests.Lowering.Models;
using static ModelDsl.Testing.Verifier;

namespace ModelDsl.Compiler.Tests.HostCode;

public class HostCodeTests
{
    [Fact]
    public Task A_plan_becomes_a_class_that_reads_as_if_written_by_hand() => Verify(HostCodeGenerator.Generate(SmallPlan.Create()), "cs");

    [Fact]
    public void Generated_text_compiles_without_a_warning()
    {
        GeneratedCode.Compile(HostCodeGenerator.Generate(SmallPlan.Create()));
        GeneratedCode.Compile(HostCodeGenerator.Generate(SmallPlan.Create(taps: true)));
    }

    [Fact]
    public void The_same_plan_gives_the_same_text() =>
        Assert.Equal(HostCodeGenerator.Generate(SmallPlan.Create()), HostCodeGenerator.Generate(SmallPlan.Create()));

    [Fact]
    public void The_class_launches_what_the_plan_says_and_finds_every_weight_where_it_was_loaded()
    {
        var plan = SmallPlan.Create();
        using var played = new PlayedPlan(plan);
        played.Model.Prefill(played.Session, [1, 2, 3, 4, 5]);
        played.ExpectLaunches(plan.Prefill, new() { [DimSymbol.Tokens] = 5, [DimSymbol.Context] = 5, [DimSymbol.LogitRows] = 1 });
        played.Model.Decode(played.Session, 6);
        played.ExpectLaunches(plan.Decode, new() { [DimSymbol.Tokens] = 1, [DimSymbol.Context] = 6, [DimSymbol.LogitRows] = 1 });
        played.Model.Sample(Sampling.Greedy, [], new int[1]);
        played.ExpectLaunches(plan.Greedy, new() { [DimSymbol.LogitRows] = 1 });
        played.Model.Sample(new Sampling(0.5f, 0.9f), [0.25f], new int[1]);
        played.ExpectLaunches(plan.Nucleus, new() { [DimSymbol.LogitRows] = 1 });
    }

    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    [InlineData("fp8")]
    public void Whole_models_launch_what_their_plans_say(string precision)
    {
        foreach (var model in (ModelSpec[])[Models.Micro, Models.Odd])
        {
            var plan = Plan(model, precision, new PlanLimits(64, 2, 256));
            using var played = new PlayedPlan(plan);
            played.Model.Prefill(played.Session, [1, 2, 3, 4, 5, 6, 7]);
            played.ExpectLaunches(plan.Prefill, new() { [DimSymbol.Tokens] = 7, [DimSymbol.Context] = 7, [DimSymbol.LogitRows] = 1 });
            played.Model.Decode(played.Session, 6);
            played.ExpectLaunches(
                plan.Decode,
                new()
                {
                    [DimSymbol.Tokens] = 1,
                    [DimSymbol.Context] = 8,
                    [DimSymbol.LogitRows] = 1,
                    [DimSymbol.Splits] = 1,
                    [DimSymbol.MaxPages] = 1,
                });
        }
    }

    [Fact]
    public void A_checkpoint_that_does_not_fit_leaves_no_memory_behind()
    {
        var plan = SmallPlan.Create();
        var type = GeneratedCode.Compile(HostCodeGenerator.Generate(plan)).GetType($"ModelDsl.Generated.{HostCodeGenerator.ClassName(plan)}")!;
        var folder = Directory.CreateTempSubdirectory("dsm").FullName;
        try
        {
            var writer = new SafetensorsWriter();
            writer.Add("model.norm.weight", new float[64], 64);
            writer.Write(Path.Combine(folder, "model.safetensors"));
            using var device = new HostDevice();
            using var checkpoint = Checkpoint.Open(folder);
            var kernels = KernelLibrary.FromMemory(plan.Kernels.ToDictionary(kernel => kernel.Name, _ => ReadOnlyMemory<byte>.Empty));
            var failure = Assert.Throws<TargetInvocationException>(
                () => Activator.CreateInstance(type, device, checkpoint, kernels, null, null));
            Assert.Contains("model.embed_tokens.weight", Assert.IsType<CheckpointException>(failure.InnerException).Message);
            Assert.Equal(0, device.LiveAllocations);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_largest_model_is_a_short_text_that_compiles_without_a_warning()
    {
        var text = HostCodeGenerator.Generate(Plan(Models.V3, "fp8", new PlanLimits(4096, 128, 16384)));
        GeneratedCode.Compile(text);
        var statements = text.Split('\n').Where(line => line.Trim() is { Length: > 0 } own && !own.StartsWith("//", StringComparison.Ordinal));
        Assert.InRange(statements.Count(), 300, 800);
    }

    [Fact]
    public void A_decode_step_allocates_nothing()
    {
        using var played = new PlayedPlan(SmallPlan.Create());
        played.Device.TakesNotes = false;
        played.Model.Prefill(played.Session, new int[70]);
        Span<int> token = stackalloc int[1];
        var before = 0L;
        for (var step = 0; step < 20; step++)
        {
            // The first steps load what is loaded once.
            if (step == 10) before = GC.GetAllocatedBytesForCurrentThread();
            played.Model.Decode(played.Session, 1);
            played.Model.Sample(Sampling.Greedy, [], token);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("tiny-v3", "TinyV3")]
    [InlineData("DeepSeekV3", "DeepSeekV3")]
    [InlineData("7b", "Model7b")]
    [InlineData("step", "StepModel")]
    [InlineData("ünïcode_x", "NCodeX")]
    public void Any_name_of_a_model_becomes_a_class_name(string model, string expected)
    {
        var plan = SmallPlan.Create();
        plan = plan with { Model = plan.Model with { Name = model } };
        Assert.Equal(expected, HostCodeGenerator.ClassName(plan));
        GeneratedCode.Compile(HostCodeGenerator.Generate(plan));
    }

    private static ModelPlan Plan(ModelSpec model, string precision, PlanLimits limits)
    {
        var compiled = ModelCompiler.Compile(model, BuiltInPrecision.ByName(precision)!, new CompileOptions(PtxTarget.Sm90a, limits));
        Assert.Empty(compiled.Diagnostics);
        return compiled.Plan!;
    }
}
