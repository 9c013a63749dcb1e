using System.Diagnostics;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Syntax;

/// <summary>The committed parser is the grammar's.</summary>
public class GeneratedParserTests
{
    [NpxFact]
    public void RegeneratingChangesNothing()
    {
        var folder = Directory.CreateTempSubdirectory("dsm-parser").FullName;
        try
        {
            using var generate = Process.Start(new ProcessStartInfo(Repository.PathTo("grammar", "generate"), [folder]) { RedirectStandardError = true })!;
            var errors = generate.StandardError.ReadToEnd();
            generate.WaitForExit();
            Assert.True(generate.ExitCode == 0, errors);
            foreach (var name in new[] { "DsmLexer.cs", "DsmParser.cs" })
                Assert.Equal(
                    File.ReadAllText(Repository.PathTo("src", "ModelDsl.Compiler", "Syntax", "Generated", name)).ReplaceLineEndings("\n"),
                    File.ReadAllText(Path.Combine(folder, name)).ReplaceLineEndings("\n"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <summary>A test that needs the parser generator; skipped, and counted so, where npx cannot run it.</summary>
public sealed class NpxFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Missing = new(Probe);

    public NpxFactAttribute() => Skip = Missing.Value;

    private static string? Probe()
    {
        const string reason = "npx cannot run antlr-ng 1.0.10 here";
        if (OperatingSystem.IsWindows()) return reason;
        try
        {
            using var probe = Process.Start(new ProcessStartInfo("npx", ["--yes", "antlr-ng@1.0.10", "--version"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            return probe.WaitForExit(TimeSpan.FromSeconds(60)) && probe.ExitCode == 0 ? null : reason;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return reason;
        }
    }
}
