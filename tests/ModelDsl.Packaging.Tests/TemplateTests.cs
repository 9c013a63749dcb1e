using System.Text.RegularExpressions;

namespace ModelDsl.Packaging.Tests;

/// <summary><c>dotnet new modeldsl</c>, and what becomes of the project when somebody works on it.</summary>
[Collection(nameof(Stranger))]
public class TemplateTests(Stranger stranger)
{
    private Workshop Workshop => stranger.Workshop;

    [Fact]
    public void The_program_writes_what_PyTorch_writes()
    {
        Assert.Equal(Stranger.Golden("king").Text, Workshop.Expect(0, stranger.App, "dotnet", "run", "--no-build"));
        var (prompt, text) = Stranger.Golden("juliet");
        Assert.Equal(text, Workshop.Expect(0, Workshop.Root, Path.Combine(stranger.App, "bin", "Debug", "net10.0", "TinyV3"), prompt));
    }

    [Fact]
    public void Building_again_compiles_nothing()
    {
        var library = Path.Combine(stranger.App, "obj", "Debug", "net10.0", "TinyV3.dll");
        var before = File.GetLastWriteTimeUtc(library);
        var log = Workshop.Expect(0, stranger.App, "dotnet", "build", "--no-restore", "-verbosity:normal");
        Assert.Contains("Skipping target \"CoreCompile\" because all output files are up-to-date", log);
        Assert.Equal(before, File.GetLastWriteTimeUtc(library));
    }

    [Fact]
    public void A_mistake_in_the_model_fails_the_build_at_its_place()
    {
        var app = Workshop.Copy(stranger.App, "Mistaken");
        var model = Path.Combine(app, "tiny-v3.dsm");
        File.WriteAllText(model, File.ReadAllText(model).Replace("active = 2", "active = 9"));

        var errors = Stranger.Errors(Workshop.Expect(1, app, "dotnet", "build"), app);
        Assert.Equal(
            [
                "tiny-v3.dsm(28,16): error DSM0308: 9 experts are active per token, and only 8 can be chosen: routed = 8",
                "Program.cs(12,23): error CS0246: The type or namespace name 'TinyV3' could not be found (are you missing a using directive or an assembly reference?)",
            ],
            errors.OrderByDescending(error => error.Contains("DSM0308")));
    }

    [Theory]
    [InlineData("CompilerApiVersion=roslyn4.8", "error DSMG03: ModelDsl.Generators runs in C# compilers from 4.14 on, and this build's is 4.8: " +
        "install the .NET 10 SDK or Visual Studio 2026 or newer, and see that no global.json asks for an older SDK")]
    [InlineData("LangVersion=12.0", "error DSMG04: the classes of .dsm files are written in C# 13, and this project asks for C# 12.0: " +
        "leave LangVersion out of the project, or raise it")]
    public void What_cannot_compile_the_classes_is_told_once_with_a_remedy(string property, string message)
    {
        var errors = Stranger.Errors(Workshop.Expect(
            1, stranger.App, "dotnet", "build", "--no-restore", "-p:" + property, "-p:IntermediateOutputPath=obj/refused/"), stranger.App);
        Assert.EndsWith(message, Assert.Single(errors));
    }

    [Fact]
    public void A_framework_without_a_runtime_for_the_classes_is_refused()
    {
        var app = Workshop.Copy(stranger.App, "Old");
        var project = Path.Combine(app, "TinyV3.csproj");
        File.WriteAllText(project, Regex.Replace(
            File.ReadAllText(project).Replace("net10.0", "net8.0"), ".*VirtualGpu.*\n", ""));
        Assert.Contains(
            Stranger.Errors(Workshop.Expect(1, app, "dotnet", "restore", "-p:DisableImplicitFrameworkReferences=true"), app),
            error => error.Contains("NU1202: Package ModelDsl.Runtime ") && error.Contains("is not compatible with net8.0"));
    }

    [Fact]
    public void A_name_that_is_no_namespace_is_made_one()
    {
        Workshop.Expect(
            0, Workshop.Root, "dotnet", "new", "modeldsl", "--name", "my-app.2", "--no-restore", "--debug:custom-hive", Workshop.PathTo("hive"));
        Assert.Contains("<RootNamespace>my_app._2</RootNamespace>", File.ReadAllText(Workshop.PathTo("my-app.2", "my-app.2.csproj")));
        Assert.Contains("new my_app._2.TinyV3(", File.ReadAllText(Workshop.PathTo("my-app.2", "Program.cs")));
    }
}
