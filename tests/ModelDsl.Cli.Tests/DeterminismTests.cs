using System.Diagnostics;
using System.Security.Cryptography;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary>The same input gives the same bytes: on one core and on two, in whatever culture and time zone the user sits.</summary>
public class DeterminismTests
{
    private static readonly string Sample = Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm");
    private static readonly string Weights = Repository.PathTo("samples", "tiny-v3", "checkpoint");

    [Fact]
    public void Building_gives_the_same_bytes_everywhere()
    {
        using var folder = new TemporaryFolder();
        var first = Build(folder, "1", "C", "UTC");
        Assert.NotEmpty(first);
        Assert.Equal(first, Build(folder, "1", "C", "UTC"));
        Assert.Equal(first, Build(folder, "2", "tr_TR.UTF-8", "Asia/Tehran"));
        Assert.Equal(first, Build(folder, "2", "fa_IR.UTF-8", "America/St_Johns"));
    }

    /// <summary>Not only the same text: the same bits of every logit.</summary>
    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    [InlineData("fp8")]
    public void Logits_are_bit_equal_on_one_core_and_on_two(string precision)
    {
        using var folder = new TemporaryFolder();
        var hashes = new[] { "1", "2" }.Select(cores =>
        {
            var logits = folder.File($"{cores}.safetensors");
            Start(cores, "C", "UTC", "run", Sample, "--weights", Weights, "--precision", precision, "--prompt", "KING RICHARD III", "--max-new", "2", "--logits", logits);
            return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(logits)));
        }).ToArray();
        Assert.Equal(hashes[0], hashes[1]);
    }

    private static SortedDictionary<string, string> Build(TemporaryFolder folder, string cores, string locale, string zone)
    {
        var output = folder.File("out");
        if (Directory.Exists(output)) Directory.Delete(output, recursive: true);
        Start(cores, locale, zone, "build", Sample, "-o", output, "--precision", "fp8", "--emit", "ptx,csharp,plan,graph");
        return new SortedDictionary<string, string>(
            Directory.GetFiles(output, "*", SearchOption.AllDirectories).ToDictionary(
                path => Path.GetRelativePath(output, path), path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))),
            StringComparer.Ordinal);
    }

    /// <summary>A process of its own: cores, culture and time zone are settled when one starts.</summary>
    private static void Start(string cores, string locale, string zone, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "dsmc.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_PROCESSOR_COUNT"] = cores;
        start.Environment["LANG"] = start.Environment["LC_ALL"] = locale;
        start.Environment["TZ"] = zone;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == ExitCode.Success, error.Result);
    }
}
