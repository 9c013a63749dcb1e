using Microsoft.CodeAnalysis;

namespace ModelDsl.Generators.Tests;

/// <summary>What an edit makes the generator do again, and what not.</summary>
public class IncrementalTests
{
    private const string File = "/p/tiny-v3.dsm";

    [Fact]
    public void Typing_C_sharp_computes_nothing_again()
    {
        var host = Started();
        host.EditCode();
        AllCached(host.Run());
    }

    [Fact]
    public void A_cloned_compilation_computes_nothing_again()
    {
        var host = Started();
        host.CloneCompilation();
        AllCached(host.Run());
    }

    [Fact]
    public void A_file_read_again_with_the_same_text_leaves_every_output()
    {
        var host = Started();
        host.Edit(File, GeneratorHost.TinyV3);
        var run = host.Run();
        Assert.Equal([IncrementalStepRunReason.Unchanged], Reasons(run, StepNames.Source));
        AllOutputsCached(run);
    }

    [Fact]
    public void A_moved_comment_leaves_class_and_kernels()
    {
        var host = Started();
        host.Edit(File, "// A new first line.\n" + GeneratorHost.TinyV3);
        var run = host.Run();
        Assert.Equal([IncrementalStepRunReason.Modified], Reasons(run, StepNames.Source));
        Assert.Equal([IncrementalStepRunReason.Unchanged], Reasons(run, StepNames.Compiled));
        Assert.Equal([IncrementalStepRunReason.Cached], Reasons(run, StepNames.Surface));
        Assert.Equal([IncrementalStepRunReason.Cached], Reasons(run, StepNames.Kernels));
        AllOutputsCached(run, exceptDiagnostics: true);
    }

    [Fact]
    public void A_moved_message_is_reported_anew_and_leaves_class_and_kernels()
    {
        // Its latent and rotary widths fill no whole FP8 block, which is worth a remark.
        var host = new GeneratorHost((File, GeneratorHost.DeepSeekV3));
        var before = host.Run().Diagnostics;
        Assert.NotEmpty(before);
        host.Edit(File, "\n" + GeneratorHost.DeepSeekV3);
        var run = host.Run();
        Assert.Equal(
            before.Select(found => found.Location.GetLineSpan().StartLinePosition.Line + 1),
            run.Diagnostics.Select(found => found.Location.GetLineSpan().StartLinePosition.Line));
        AllOutputsCached(run, exceptDiagnostics: true);
    }

    [Fact]
    public void A_changed_attribute_writes_only_the_kernels_that_it_is_in()
    {
        var host = Started();
        host.Edit(File, GeneratorHost.TinyV3.Replace("epsilon: 1e-6", "epsilon: 1e-5"));
        var reasons = host.Run().TrackedSteps[StepNames.Kernels].SelectMany(step => step.Outputs).Select(output => output.Reason).ToList();
        Assert.Contains(IncrementalStepRunReason.Modified, reasons);
        Assert.True(reasons.Count(reason => reason == IncrementalStepRunReason.Cached) > reasons.Count / 2);
    }

    private static GeneratorHost Started()
    {
        var host = new GeneratorHost((File, GeneratorHost.TinyV3));
        Assert.NotEmpty(host.Run().GeneratedSources);
        return host;
    }

    private static IEnumerable<IncrementalStepRunReason> Reasons(GeneratorRunResult run, string step) =>
        run.TrackedSteps[step].SelectMany(done => done.Outputs).Select(output => output.Reason).Distinct();

    private static void AllCached(GeneratorRunResult run)
    {
        string[] steps =
        [
            StepNames.Source, StepNames.Sources, StepNames.Compiled, StepNames.Project, StepNames.Diagnostics,
            StepNames.Models, StepNames.Surface, StepNames.KernelRequests, StepNames.Kernels,
        ];
        foreach (var step in steps)
            Assert.Equal((step, IncrementalStepRunReason.Cached), (step, Assert.Single(Reasons(run, step))));
        AllOutputsCached(run);
    }

    private static void AllOutputsCached(GeneratorRunResult run, bool exceptDiagnostics = false)
    {
        var outputs = run.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs).ToList();
        Assert.NotEmpty(outputs);
        var changed = outputs.Count(output => output.Reason != IncrementalStepRunReason.Cached);
        Assert.InRange(changed, 0, exceptDiagnostics ? 1 : 0);
    }
}
