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

    /// <param name="className">With its namespace.</param>
    /// <exception cref="InvalidOperationException">The text does not compile: a mistake in the compiler, not in the model.</exception>
    public static ModelLoader Compile(string text, string className)
    {
        var compilation = CSharpCompilation.Create(
            "ModelDsl.Generated",
            [CSharpSyntaxTree.ParseText(SourceText.From(text, Encoding.UTF8), new CSharpParseOptions(LanguageVersion.Latest, DocumentationMode.None))],
            PlatformReferences(),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, concurrentBuild: true));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        if (!result.Success)
            throw new InvalidOperationException(
                "The generated C# does not compile:\n" + string.Join("\n", result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error)));

        image.Position = 0;
        // A context of its own: one process may run several models.
        var type = new AssemblyLoadContext(className).LoadFromStream(image).GetType(className, throwOnError: true)!;
        var load = type.GetMethod("Load", BindingFlags.Public | BindingFlags.Static)!;
        return (device, checkpoint, kernels, options, progress) =>
            (CausalLanguageModel)load.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [device, checkpoint, kernels, options, progress], null)!;
    }

    private static IEnumerable<MetadataReference> PlatformReferences()
    {
        var platform = (AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string ?? "").Split(Path.PathSeparator);
        return platform.Where(path => References.Contains(Path.GetFileName(path))).Select(path => MetadataReference.CreateFromFile(path));
    }
}
