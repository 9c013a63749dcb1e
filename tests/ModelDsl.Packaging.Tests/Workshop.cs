using System.Diagnostics;
using ModelDsl.Testing;

namespace ModelDsl.Packaging.Tests;

/// <summary>
/// A folder outside the repository, with a feed of packages just packed in <c>artifacts/packages</c> and a package cache of its own,
/// so that what other runs left behind is not taken for it.
/// </summary>
public sealed class Workshop : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private Workshop(string root) => Root = root;

    public string Root { get; }

    public string Feed => Path.Combine(Root, "artifacts", "packages");

    /// <summary>Packs what these tests were built with.</summary>
    public static Workshop Open()
    {
        var workshop = new Workshop(Directory.CreateTempSubdirectory("modeldsl-packaging-").FullName);
        Directory.CreateDirectory(workshop.Feed);
        File.WriteAllText(Path.Combine(workshop.Root, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="modeldsl" value="{workshop.Feed}" />
                <add key="machine" value="{BuildFacts.Packages}" />
              </packageSources>
              <packageSourceMapping>
                <packageSource key="modeldsl"><package pattern="ModelDsl.*" /><package pattern="dsmc" /></packageSource>
                <packageSource key="machine"><package pattern="*" /></packageSource>
              </packageSourceMapping>
            </configuration>
            """);
        workshop.Expect(
            0, Repository.Root, "dotnet", "pack", "ModelDsl.sln", "--no-build", "--configuration", BuildFacts.Configuration, "--output", workshop.Feed);
        return workshop;
    }

    /// <summary>A path in this folder, from its parts.</summary>
    public string PathTo(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Runs a program and returns its standard output; another exit code than expected fails the test.</summary>
    public string Expect(int exitCode, string folder, string program, params string[] arguments)
    {
        var (code, output, errors) = Run(folder, program, arguments);
        Assert.True(exitCode == code, $"{program} {string.Join(' ', arguments)}\nexit code {code}, expected {exitCode}\n{output}{errors}");
        return output;
    }

    /// <summary>Copies a folder without what building left in it.</summary>
    public string Copy(string from, params string[] to)
    {
        var target = PathTo(to);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(from, file);
            if (name.Split(Path.DirectorySeparatorChar)[0] is "bin" or "obj") continue;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(target, name))!);
            File.Copy(file, Path.Combine(target, name));
        }
        return target;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private (int Code, string Output, string Errors) Run(string folder, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The test runner's own MSBuild is not the one that the folder's SDK brings.
        foreach (var name in (string[])["MSBuildSDKsPath", "MSBuildExtensionsPath", "MSBUILD_EXE_PATH"]) start.Environment.Remove(name);
        foreach (var (name, value) in ((string, string)[])
        [
            ("NUGET_PACKAGES", PathTo("cache")), ("UseSharedCompilation", "false"), ("MSBUILDDISABLENODEREUSE", "1"), ("MSBUILDTERMINALLOGGER", "off"),
            ("DOTNET_NOLOGO", "1"), ("DOTNET_CLI_UI_LANGUAGE", "en"), ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("NO_COLOR", "1"),
        ])
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience)) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        return (process.ExitCode, output.Result.ReplaceLineEndings("\n"), errors.Result);
    }
}
