using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace ModelDsl.Testing;

/// <summary>NVIDIA's PTX assembler as a judge of the text we emit. Safe to call from several tests at once.</summary>
public static class Ptxas
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The program: <c>DSM_PTXAS</c>, else what <c>tests/get-ptxas</c> fetched, else the one on the path; or null.</summary>
    public static string? Program { get; } = Find();

    /// <summary>Assembles a module for one target and reports what each kernel uses.</summary>
    /// <param name="ptx">The module's text.</param>
    /// <param name="target">The architecture with its suffix, such as <c>sm_90a</c>.</param>
    /// <exception cref="Xunit.Sdk.XunitException">The assembler rejects the text; the message quotes the lines it names.</exception>
    public static PtxasReport Assemble(string ptx, string target)
    {
        var folder = Directory.CreateTempSubdirectory("ptxas-");
        try
        {
            var source = Path.Combine(folder.FullName, "module.ptx");
            File.WriteAllText(source, ptx);
            var (exitCode, log) = Run(source, target);
            if (exitCode != 0)
                Assert.Fail($"ptxas {target} exits with {exitCode}:\n{log.Replace(source, "module.ptx")}\n{Quote(ptx, log)}");
            return PtxasReport.Parse(exitCode, log);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>As <see cref="Assemble"/>, and fails on any warning, spill or stack frame.</summary>
    public static PtxasReport AssembleClean(string ptx, string target)
    {
        var report = Assemble(ptx, target);
        if (report.Warnings.Count > 0 || report.SpillStores + report.SpillLoads + report.Stack > 0)
            Assert.Fail($"ptxas {target} is not content:\n{report.Log}");
        return report;
    }

    private static (int ExitCode, string Log) Run(string source, string target)
    {
        var start = new ProcessStartInfo(Program ?? throw new InvalidOperationException("There is no ptxas here."))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { "--verbose", "--gpu-name", target, "--output-file", Path.ChangeExtension(source, ".cubin"), source },
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} does not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            Assert.Fail($"ptxas {target} is not done after {Patience.TotalMinutes} minutes.");
        }
        return (process.ExitCode, errors.Result + output.Result);
    }

    private static string Quote(string ptx, string log)
    {
        var lines = ptx.Split('\n');
        var named = Regex.Matches(log, @"line (\d+)").Select(match => int.Parse(match.Groups[1].Value)).Distinct();
        return string.Join('\n', named.Where(line => line <= lines.Length).Take(20).Select(line => $"{line,6}: {lines[line - 1].TrimEnd()}"));
    }

    private static string? Find()
    {
        var chosen = Environment.GetEnvironmentVariable("DSM_PTXAS");
        var name = OperatingSystem.IsWindows() ? "ptxas.exe" : "ptxas";
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<string> candidates = string.IsNullOrEmpty(chosen)
            ? [Repository.PathTo(".tools", "cuda", "bin", name), .. path.Select(folder => Path.Combine(folder, name))]
            : [chosen];
        return candidates.FirstOrDefault(File.Exists);
    }
}
