using System.Xml.Linq;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary>Dependencies point down the pipeline: a room may use those below it and never the other way round.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["ModelDsl.Ptx"] = [],
        ["ModelDsl.Compiler"] = ["ModelDsl.Ptx"],
        ["ModelDsl.Generators"] = ["ModelDsl.Compiler", "ModelDsl.Ptx"],
        ["ModelDsl.Templates"] = [],
        ["ModelDsl.Runtime"] = [],
        ["ModelDsl.Runtime.VirtualGpu"] = ["ModelDsl.Runtime"],
        ["ModelDsl.Runtime.Cuda"] = ["ModelDsl.Runtime"],
        ["ModelDsl.Simulation"] = ["ModelDsl.Compiler"],
        ["ModelDsl.Runtime.ManagedCuda"] = ["ModelDsl.Runtime"],
        ["ModelDsl.Cli"] =
        [
            "ModelDsl.Compiler", "ModelDsl.Simulation", "ModelDsl.Ptx", "ModelDsl.Runtime", "ModelDsl.Runtime.VirtualGpu", "ModelDsl.Runtime.Cuda",
            "ModelDsl.Runtime.ManagedCuda",
        ],
    };

    [Fact]
    public void EveryProjectReferencesOnlyWhatItMay()
    {
        var projects = new[] { "src", "runtime", "generators" }
            .Select(folder => Path.Combine(Repository.Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.GetFiles(folder, "*.csproj", SearchOption.AllDirectories))
            // What the template writes for others is no room of this house.
            .Where(project => !project.Replace('\\', '/').Contains("/ModelDsl.Templates/content/"));
        foreach (var project in projects)
        {
            var name = Path.GetFileNameWithoutExtension(project);
            Assert.True(Allowed.ContainsKey(name), $"{name} is a new room: say here what it may depend on.");
            var references = XDocument.Load(project).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.Empty(references.Except(Allowed[name]));
        }
    }

    [Theory]
    [InlineData("src/ModelDsl.Compiler")]
    [InlineData("src/ModelDsl.Ptx")]
    public void TheCompilerReadsNeitherFilesNorClocksNorTheEnvironment(string folder)
    {
        string[] banned = ["System.IO.File", "File.Read", "File.Write", "File.Open", "Directory.", "DateTime.", "DateTimeOffset.", "Environment.", "new Random("];
        var offenders = Directory.GetFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/") && !path.Contains("/Generated/"))
            .SelectMany(path => File.ReadLines(path).Select((line, index) => (path, line, index)))
            .Where(at => !at.line.TrimStart().StartsWith("//") && banned.Any(at.line.Contains))
            .Select(at => $"{at.path}:{at.index + 1}: {at.line.Trim()}");
        Assert.Empty(offenders);
    }
}
