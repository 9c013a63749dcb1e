using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using ModelDsl.Testing;

namespace ModelDsl.Generators.Tests;

/// <summary>A project in memory, and the generator at work on it as inside the C# compiler.</summary>
internal sealed class GeneratorHost
{
    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Latest);

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private readonly Options _options = new();
    private readonly Dictionary<string, AdditionalText> _files = [];
    private CSharpCompilation _compilation = CSharpCompilation.Create(
        "Project",
        [CSharpSyntaxTree.ParseText("namespace UserProject; internal static class Program;", ParseOptions)],
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    private GeneratorDriver _driver;

    public GeneratorHost(params (string Path, string Text)[] files)
    {
        foreach (var (path, text) in files) _files.Add(path, new MemoryText(path, text));
        _driver = CSharpGeneratorDriver.Create(
            [new ModelGenerator().AsSourceGenerator()],
            _files.Values,
            ParseOptions,
            _options,
            new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
    }

    public static string TinyV3 { get; } = File.ReadAllText(Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm"));

    public static string DeepSeekV3 { get; } = File.ReadAllText(Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm"));

    /// <summary>The project with what the last run generated.</summary>
    public Compilation Output { get; private set; } = null!;

    /// <summary>Metadata of a file's item in the project.</summary>
    public GeneratorHost With(string path, string name, string value)
    {
        _options.Metadata[(path, "build_metadata.AdditionalFiles." + name)] = value;
        return this;
    }

    /// <summary>Runs the generator.</summary>
    public GeneratorRunResult RunOnce(CancellationToken cancellation = default)
    {
        _driver = _driver.RunGeneratorsAndUpdateCompilation(_compilation, out var output, out _, cancellation);
        Output = output;
        return _driver.GetRunResult().Results.Single();
    }

    /// <summary>Runs the generator; then once more on a copy of the compilation, as every edit in an editor makes one, which must do nothing.</summary>
    /// <exception cref="InvalidOperationException">It did something.</exception>
    public GeneratorRunResult Run(CancellationToken cancellation = default)
    {
        var run = RunOnce(cancellation);
        _driver = _driver.RunGenerators(_compilation.Clone(), cancellation);
        var again = _driver.GetRunResult().Results.Single().TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs);
        var made = again.Where(done => done.Reason != IncrementalStepRunReason.Cached).ToList();
        return made.Count == 0 ? run : throw new InvalidOperationException($"On an unchanged project {made.Count} outputs were not cached: {made[0].Reason}.");
    }

    /// <summary>Somebody types C#.</summary>
    public void EditCode() =>
        _compilation = _compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("internal static class Other;", ParseOptions));

    /// <summary>A file has a new text, or is read again with the same.</summary>
    public void Edit(string path, string text)
    {
        var file = new MemoryText(path, text);
        _driver = _driver.ReplaceAdditionalText(_files[path], file);
        _files[path] = file;
    }

    /// <summary>The compilation is a copy of the last one, as every edit in an editor makes it.</summary>
    public void CloneCompilation() => _compilation = _compilation.Clone();

    private sealed class MemoryText(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellation = default) => SourceText.From(text);
    }

    private sealed class Options : AnalyzerConfigOptionsProvider
    {
        public Dictionary<(string Path, string Key), string> Metadata { get; } = [];

        public override AnalyzerConfigOptions GlobalOptions => new Values(this, null);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => new Values(this, null);

        public override AnalyzerConfigOptions GetOptions(AdditionalText file) => new Values(this, file.Path);

        private sealed class Values(Options options, string? path) : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value)
            {
                value = path is null
                    ? key == "build_property.RootNamespace" ? "UserProject" : null
                    : options.Metadata.GetValueOrDefault((path, key));
                return value is not null;
            }
        }
    }
}
