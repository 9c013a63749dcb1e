using Microsoft.CodeAnalysis;
using ModelDsl.Generators.Inputs;
using ModelDsl.Generators.Products;

namespace ModelDsl.Generators;

/// <summary>
/// Makes every model of the project's <c>.dsm</c> files a class with its kernels inside. Looks at nothing else, so that typing C#
/// costs nothing; a step whose result is equal to the last one stops all that depends on it.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class ModelGenerator : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var sources = context.AdditionalTextsProvider
            .Where(static text => text.Path.EndsWith(".dsm", StringComparison.OrdinalIgnoreCase))
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Select(static (pair, cancellation) => DsmSource.Read(pair.Left, pair.Right, cancellation))
            .WithTrackingName(StepNames.Source);
        var all = sources.Collect().Select(static (list, _) => new SourceSet(list)).WithTrackingName(StepNames.Sources);
        var project = sources.Combine(all)
            .Select(static (pair, cancellation) => FileCompiler.Compile(pair.Left, pair.Right, cancellation))
            .WithTrackingName(StepNames.Compiled)
            .Collect()
            .Select(static (files, _) => CompiledProject.Of(files))
            .WithTrackingName(StepNames.Project);

        var diagnostics = project.Select(static (whole, _) => whole.Diagnostics).WithTrackingName(StepNames.Diagnostics);
        context.RegisterSourceOutput(diagnostics, static (output, found) =>
        {
            foreach (var diagnostic in found) output.ReportDiagnostic(diagnostic.ToRoslyn());
        });

        var models = project.SelectMany(static (whole, _) => whole.Models.Items).WithTrackingName(StepNames.Models);
        Add(context.RegisterSourceOutput, models
            .SelectMany(static (model, cancellation) => Surface.Write(model, cancellation).Items)
            .WithTrackingName(StepNames.Surface));
        Add(context.RegisterImplementationSourceOutput, models
            .SelectMany(static (model, _) => KernelRequest.Of(model).Items)
            .WithTrackingName(StepNames.KernelRequests)
            .Select(static (kernel, cancellation) => kernel.Write(cancellation))
            .WithTrackingName(StepNames.Kernels));
    }

    private static void Add(
        Action<IncrementalValuesProvider<GeneratedFile>, Action<SourceProductionContext, GeneratedFile>> register,
        IncrementalValuesProvider<GeneratedFile> files) =>
        register(files, static (output, file) =>
        {
            if (file.Trouble is { } trouble) output.ReportDiagnostic(trouble.ToRoslyn());
            else output.AddSource(file.HintName, file.Text);
        });
}
