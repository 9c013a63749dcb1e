using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Xml.Linq;
using ModelDsl.Testing;

namespace ModelDsl.Packaging.Tests;

/// <summary>What is in the packages.</summary>
[Collection(nameof(Stranger))]
public class PackageTests(Stranger stranger)
{
    [Fact]
    public void All_are_packed_at_once_with_one_version() => Assert.Equal(
        ["ModelDsl.Generators", "ModelDsl.Runtime", "ModelDsl.Runtime.Cuda", "ModelDsl.Runtime.VirtualGpu", "ModelDsl.Templates", "dsmc"],
        Directory.GetFiles(stranger.Workshop.Feed).Select(Path.GetFileName).Order(StringComparer.Ordinal)
            .Select(name => name!.Replace($".{BuildFacts.Version}.nupkg", "")));

    [Theory]
    [InlineData("ModelDsl.Generators", "ModelDsl.Runtime [0.1.0]")]
    [InlineData("ModelDsl.Runtime", "")]
    [InlineData("ModelDsl.Runtime.Cuda", "ModelDsl.Runtime 0.1.0")]
    [InlineData("ModelDsl.Runtime.VirtualGpu", "ModelDsl.Runtime 0.1.0")]
    [InlineData("ModelDsl.Templates", "")]
    [InlineData("dsmc", "")]
    public void Each_says_what_it_is_and_brings_what_it_needs(string id, string dependencies)
    {
        using var package = Open(id);
        var text = Read(package, id + ".nuspec");
        var metadata = XDocument.Parse(text).Root!.Elements().Single();
        string Value(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;

        Assert.Equal(BuildFacts.Version, Value("version"));
        Assert.Equal("MIT", Value("license"));
        Assert.Equal("cuda ptx gpu llm inference deepseek", Value("tags"));
        Assert.InRange(Value("description").Length, 60, 250);
        Assert.StartsWith($"# {id}\n", Read(package, Value("readme")));
        Assert.Equal(
            dependencies.Replace("0.1.0", BuildFacts.Version),
            string.Join(", ", metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
                .Select(element => $"{element.Attribute("id")!.Value} {element.Attribute("version")!.Value}")));
    }

    [Fact]
    public void The_generator_comes_with_all_that_it_needs_inside_the_compiler()
    {
        using var package = Open("ModelDsl.Generators");
        Assert.Equal(
            [
                "analyzers/dotnet/cs/Antlr4.Runtime.Standard.dll", "analyzers/dotnet/cs/ModelDsl.Compiler.dll",
                "analyzers/dotnet/cs/ModelDsl.Generators.dll", "analyzers/dotnet/cs/ModelDsl.Ptx.dll", "analyzers/dotnet/cs/Sprache.dll",
                "build/ModelDsl.Generators.props", "build/ModelDsl.Generators.targets",
            ],
            Files(package).Where(name => name.StartsWith("analyzers/") || name.StartsWith("build/") || name.StartsWith("lib/")));
    }

    [Theory]
    [InlineData("ModelDsl.Runtime")]
    [InlineData("ModelDsl.Runtime.Cuda")]
    [InlineData("ModelDsl.Runtime.VirtualGpu")]
    public void A_library_brings_its_documentation_and_may_be_trimmed(string id)
    {
        using var package = Open(id);
        Assert.Equal([$"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"], Files(package).Where(name => name.StartsWith("lib/")));
        Assert.Contains("<summary>", Read(package, $"lib/net10.0/{id}.xml"));
        Assert.Contains("IsTrimmable", Latin(package.GetEntry($"lib/net10.0/{id}.dll")!));
        Assert.Contains("IsAotCompatible", Latin(package.GetEntry($"lib/net10.0/{id}.dll")!));
    }

    [Fact]
    public void The_oldest_compiler_that_is_let_through_is_the_one_the_generator_was_built_for()
    {
        using var package = Open("ModelDsl.Generators");
        using var library = new MemoryStream();
        package.GetEntry("analyzers/dotnet/cs/ModelDsl.Generators.dll")!.Open().CopyTo(library);
        library.Position = 0;
        using var image = new PEReader(library);
        var metadata = image.GetMetadataReader();
        var built = metadata.AssemblyReferences.Select(metadata.GetAssemblyReference)
            .Single(reference => metadata.GetString(reference.Name) == "Microsoft.CodeAnalysis").Version;

        var targets = XDocument.Parse(Read(package, "build/ModelDsl.Generators.targets"));
        Assert.Equal(built.ToString(2), targets.Descendants("ModelDslOldestCompiler").Single().Value);
    }

    [Fact]
    public void Nothing_tells_where_it_was_built()
    {
        if (BuildFacts.Configuration != "Release") return;
        foreach (var path in Directory.GetFiles(stranger.Workshop.Feed))
        {
            using var package = ZipFile.OpenRead(path);
            foreach (var entry in package.Entries)
                Assert.False(Latin(entry).Contains(Repository.Root), $"{Path.GetFileName(path)}: {entry.FullName} contains {Repository.Root}");
        }
    }

    private ZipArchive Open(string id) => ZipFile.OpenRead(Path.Combine(stranger.Workshop.Feed, $"{id}.{BuildFacts.Version}.nupkg"));

    private static IEnumerable<string> Files(ZipArchive package) => package.Entries.Select(entry => entry.FullName).Order(StringComparer.Ordinal);

    private static string Read(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry(name)!.Open());
        return reader.ReadToEnd().Replace("\r\n", "\n");
    }

    private static string Latin(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open(), Encoding.Latin1);
        return reader.ReadToEnd();
    }
}
