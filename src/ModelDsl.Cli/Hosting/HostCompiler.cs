using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Models;

namespace ModelDsl.Cli.Hosting;

/// <summary>Loads a generated model, as its <c>Load</c> method does.</summary>
public delegate CausalLanguageModel ModelLoader(
    IDevice device, Checkpoint checkpoint, KernelLibrary kernels, ModelOptions? options, IProgress<LoadProgress>? progress);

/// <summary>Compiles the generated C# in memory: the command line and a user's project run the same text.</summary>
public static class HostCompiler
{
    // All that generated text refers to. Every further reference costs time at each start.
    private static readonly string[] References =
        ["System.Private.CoreLib.dll", "System.Runtime.dll", "System.Collections.dll", "System.Linq.dll", "ModelDsl.Runtime.dll"];

    // Null analysis finds nothing in text that our own tests have compiled with warnings as errors.
    private static readonly CSharpParseOptions ParseOptions = new CSharpParseOptions(LanguageVersion.Latest, DocumentationMode.None)
        .WithFeatures([KeyValuePair.Create("run-nullable-analysis", "never")]);

    /// <summary>
    /// Starts the compiler on a small class, so that its own start, which takes longer than compiling a model, goes on while there is
    /// other work to do.
    /// </summary>
    public static Task WarmUp() => Task.Run(() => Compile(
        """
        #nullable enable
        using System.Collections.Generic;
        using System.Linq;
        using ModelDsl.Runtime.Checkpoints;
        using ModelDsl.Runtime.Devices;
        using ModelDsl.Runtime.Models;
        public static class Warm
        {
            private const ulong At = 16;
            public static CausalLanguageModel Load(
                IDevice d, Checkpoint c, KernelLibrary k, ModelOptions? o, System.IProgress<LoadProgress>? p) =>
                throw new System.InvalidOperationException();
            private static void Launch(IStream stream, IKernel kernel, in Step step)
            {
                var (rows, context) = (step.Tokens, step.Context);
                for (var layer = 0; layer < 2; layer++)
                    stream.Launch(kernel, new Dim3((rows + 1) / 2, 2, 1), 32, 0, step.Ids + At, rows, 1f);
            }
            private static List<WeightBinding> Weights(int layer) =>
            [
                new WeightBinding(WeightType.F32, 1, 1, (long)At, null,
                    [.. Enumerable.Range(0, 2).SelectMany(e => new[] { new WeightPart($"a.{layer}.{e}", 1) })]),
            ];
        }
        """,
        "Warm"));

    /// <param name="className">With its namespace.</param>
    /// <exception cref="InvalidOperationException">The text does not compile: a mistake in the compiler, not in the model.</exception>
    public static ModelLoader Compile(string text, string className)
    {
        var compilation = CSharpCompilation.Create(
            "ModelDsl.Generated",
            [CSharpSyntaxTree.ParseText(SourceText.From(text, Encoding.UTF8), ParseOptions)],
            PlatformReferences(),
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, concurrentBuild: true));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        if (!result.Success)
            throw new InvalidOperationException(
                "The generated C# does not compile:\n"
                + string.Join("\n", result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error)));

        image.Position = 0;
        // A context of its own: one process may run several models.
        var type = new AssemblyLoadContext(className).LoadFromStream(image).GetType(className, throwOnError: true)!;
        var load = type.GetMethod("Load", BindingFlags.Public | BindingFlags.Static)!;
        return (device, checkpoint, kernels, options, progress) =>
            (CausalLanguageModel)load.Invoke(
                null, BindingFlags.DoNotWrapExceptions, null, [device, checkpoint, kernels, options, progress], null)!;
    }

    private static IEnumerable<MetadataReference> PlatformReferences()
    {
        var platform = (AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string ?? "").Split(Path.PathSeparator);
        return platform.Where(path => References.Contains(Path.GetFileName(path))).Select(path => MetadataReference.CreateFromFile(path));
    }
}
