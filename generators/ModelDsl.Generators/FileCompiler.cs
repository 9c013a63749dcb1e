using System.Collections.Immutable;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Generators.Inputs;
using ModelDsl.Ptx.Targets;
using SourceText = ModelDsl.Compiler.Syntax.SourceText;

namespace ModelDsl.Generators;

/// <summary>What a file came to.</summary>
internal sealed record CompiledFile(EquatableArray<LocatedDiagnostic> Diagnostics, EquatableArray<CompiledModel> Models);

/// <summary>A model on its way to a class. Plans do not compare by places, so a moved comment leaves this equal.</summary>
/// <param name="Path">The file that it is made from.</param>
internal sealed record CompiledModel(string Path, string Namespace, string ClassName, ModelPlan Plan);

/// <summary>One file: text to plans. Whatever happens, messages come out and never an exception.</summary>
internal static class FileCompiler
{
    public static CompiledFile Compile(DsmSource file, SourceSet all, CancellationToken cancellation)
    {
        try
        {
            return InvariantCulture.Run(() => Walk(file, all, cancellation));
        }
        catch (Exception mistake) when (mistake is not OperationCanceledException)
        {
            return new CompiledFile([LocatedDiagnostic.Bug(mistake, file.Path)], []);
        }
    }

    private static CompiledFile Walk(DsmSource file, SourceSet all, CancellationToken cancellation)
    {
        var options = file.Options;
        var program = FrontEnd.Bind(
            SourceText.From(file.Path, file.Text), new BindOptions(options.Set.Items, options.Model, all));
        var found = program.Diagnostics.ToList();
        var models = new List<CompiledModel>();
        var troubles = new List<LocatedDiagnostic>();
        if (!program.HasErrors)
            foreach (var model in Chosen(file, program, troubles))
            {
                cancellation.ThrowIfCancellationRequested();
                if (Choose(file, program, troubles) is not var (precision, target)) break;
                var result = ModelCompiler.Compile(model, precision, new CompileOptions(target, CompileDefaults.Limits(model)));
                found.AddRange(result.Diagnostics);
                if (result.Plan is { } plan)
                    models.Add(new CompiledModel(file.Path, options.Namespace, HostCodeGenerator.ClassName(plan), plan));
            }

        var located = found.Select(diagnostic => LocatedDiagnostic.Of(diagnostic, file.Path, program.Source)).Concat(troubles);
        return new CompiledFile(located.ToEquatable(), models.ToEquatable());
    }

    /// <summary>
    /// The model that the project names, else all that this very file declares: those of used files are their own file's.
    /// </summary>
    private static ImmutableArray<ModelSpec> Chosen(DsmSource file, BoundProgram program, List<LocatedDiagnostic> troubles)
    {
        if (file.Options.Model is not { } name)
            return program.Models.Where(model => model.Origin.Span.Path == file.Path).ToImmutableArray();
        if (program.Model(name) is { } named) return [named];
        var names = string.Join(", ", program.Models.Select(model => model.Name));
        troubles.Add(LocatedDiagnostic.Error(
            LocatedDiagnostic.BadOption, $"Model=\"{name}\": there is no such model; declared are: {names}", file.Path));
        return [];
    }

    private static (PrecisionSpec Precision, PtxTarget Target)? Choose(
        DsmSource file, BoundProgram program, List<LocatedDiagnostic> troubles)
    {
        void Trouble(string text) => troubles.Add(LocatedDiagnostic.Error(LocatedDiagnostic.BadOption, text, file.Path));

        var precision = file.Options.Precision is { } wanted ? program.Precision(wanted) : CompileDefaults.Precision(program);
        if (precision is null)
        {
            Trouble($"Precision=\"{file.Options.Precision}\": there is no such precision; built in are fp32, bf16, fp8");
            return null;
        }

        var name = file.Options.Target ?? CompileDefaults.Cluster(program)?.Gpu.Target ?? CompileDefaults.Target(precision).Name;
        if (PtxTarget.Find(name) is { } target) return (precision, target);
        Trouble($"PtxTarget=\"{name}\": there is no such target; there are {string.Join(", ", PtxTarget.All.Select(t => t.Name))}");
        return null;
    }
}
