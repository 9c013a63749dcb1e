using System.Diagnostics;
using Xunit;

namespace ModelDsl.Testing;

/// <summary>NVIDIA's CUDA compiler, where somebody has put one: it is too large to fetch for tests.</summary>
public static class Nvcc
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>The program: <c>DSM_NVCC</c> (it may be a script that adds what an unusual place needs), else the one on the path; or null.</summary>
    public static string? Program { get; } = Find();

    /// <summary>What it makes of a file of device code.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">It does not compile.</exception>
    public static string Compile(string source, params IEnumerable<string> options)
    {
        var folder = Directory.CreateTempSubdirectory("nvcc-");
        try
        {
            var target = Path.Combine(folder.FullName, "out.ptx");
            var start = new ProcessStartInfo(Program ?? throw new InvalidOperationException("There is no nvcc here."))
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = Path.GetDirectoryName(source),
            };
            foreach (var argument in (string[])["-ptx", "-std=c++17", .. options, Path.GetFileName(source), "-o", target]) start.ArgumentList.Add(argument);
            using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} does not start.");
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                Assert.Fail($"nvcc is not done with {source} after {Patience.TotalMinutes} minutes.");
            }
            if (process.ExitCode != 0) Assert.Fail($"nvcc exits with {process.ExitCode}:\n{errors.Result}{output.Result}");
            return File.ReadAllText(target);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string? Find()
    {
        var chosen = Environment.GetEnvironmentVariable("DSM_NVCC");
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<string> candidates = string.IsNullOrEmpty(chosen) ? path.Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "nvcc.exe" : "nvcc")) : [chosen];
        return candidates.FirstOrDefault(File.Exists);
    }
}
