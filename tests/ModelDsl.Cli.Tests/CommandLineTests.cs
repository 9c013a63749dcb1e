using System.Text.Json;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary>Exit codes, streams and refusals: what scripts rely on.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Tiny => Repository.PathTo("samples/tiny-v3/tiny-v3.dsm");

    private static string TinyWeights => Repository.PathTo("samples/tiny-v3/checkpoint");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("check")]
    [InlineData("run", "x.dsm")]
    [InlineData("check", "x.dsm", "--format", "xml")]
    public void ACommandLineWithoutSenseIsRefusedWithTwo(params string[] arguments)
    {
        var result = Dsmc.Run(arguments);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.StartsWith("dsmc: ", result.Error);
        Assert.Empty(result.Out);
    }

    [Fact]
    public void AFileThatIsNotThereIsTrouble()
    {
        var result = Dsmc.Run("check", _folder.File("absent.dsm"));
        Assert.Equal((ExitCode.Trouble, $"dsmc: cannot read '{_folder.File("absent.dsm")}'\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public void CheckReportsToStandardErrorAndSumsUp()
    {
        var file = _folder.Write("bad.dsm", "model M {\n  hiden = 7\n}\n");
        var result = Dsmc.Run("check", file);
        Assert.Equal(ExitCode.Diagnostics, result.ExitCode);
        Assert.Contains($"{file}:2:3: error DSM0108: 'model' has no attribute 'hiden'", result.Error);
        Assert.Contains("did you mean 'hidden'?", result.Error);
        Assert.Matches(@"^\d+ errors?\.\n$", result.Out);
    }

    [Fact]
    public void CheckWritesJsonThatProgramsCanRead()
    {
        var file = _folder.Write("bad.dsm", "model M {\n  hiden = 7\n}\n");
        using var json = JsonDocument.Parse(Dsmc.Run("check", file, "--format", "json").Out);
        using var sarif = JsonDocument.Parse(Dsmc.Run("check", file, "--format", "sarif").Out);
        Assert.Equal("2.1.0", sarif.RootElement.GetProperty("version").GetString());
        Assert.Contains("DSM0108", json.RootElement.ToString());
    }

    [Fact]
    public void BuildWritesKernelsHostPlanAndManifest()
    {
        var output = _folder.File("out");
        var result = Dsmc.Run("build", Tiny, "-o", output, "--emit", "ptx,csharp,plan,graph");
        Assert.Equal(ExitCode.Success, result.ExitCode);
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "manifest.json")));
        using var plan = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "plan.json")));
        var kernels = manifest.RootElement.GetProperty("kernels").EnumerateArray().ToArray();
        Assert.Equal(Directory.GetFiles(Path.Combine(output, "ptx")).Length, kernels.Length);
        foreach (var kernel in kernels)
        {
            var file = Path.Combine(output, kernel.GetProperty("file").GetString()!);
            Assert.Contains($".entry {kernel.GetProperty("name").GetString()}", File.ReadAllText(file));
            Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))), kernel.GetProperty("sha256").GetString());
        }

        Assert.Contains("class TinyV3 : CausalLanguageModel", File.ReadAllText(Path.Combine(output, "TinyV3.g.cs")));
        Assert.Contains("mla_prefill", File.ReadAllText(Path.Combine(output, "graph", "prefill.txt")));
        Assert.Empty(Directory.GetFiles(output, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public void BuildWritesTheGraphsOfTraining()
    {
        var output = _folder.File("out");
        var result = Dsmc.Run("build", Tiny, "-o", output, "--emit", "training", "--print-after", "differentiate");
        Assert.Equal(ExitCode.Success, result.ExitCode);
        Assert.StartsWith("// Train, after differentiate\ntrain {\n  %0 = embedding $ids", result.Out);
        var step = File.ReadAllText(Path.Combine(output, "graph", "train.txt"));
        Assert.Contains("  layers 3..1, all like 3:\n    input gradients:\n", step);
        Assert.Contains("accumulate gradient\"layers.3.experts.gate_up\"", step);
        Assert.Contains(
            " adamw gradient\"head\", master\"head\", m\"head\", v\"head\", %1, $rate, $stepNumber beta1=0.9 beta2=0.95 epsilon=1E-08 decay=0.1 clip=1",
            File.ReadAllText(Path.Combine(output, "graph", "optimizer.txt")));
        Assert.Equal(2, Directory.GetFiles(output, "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void BuildingTwiceGivesTheSameBytes()
    {
        var (first, second) = (_folder.File("first"), _folder.File("second"));
        Assert.Equal(ExitCode.Success, Dsmc.Run("build", Tiny, "-o", first).ExitCode);
        Assert.Equal(ExitCode.Success, Dsmc.Run("build", Tiny, "-o", second).ExitCode);
        var files = Directory.GetFiles(first, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(first, file)).ToArray();
        Assert.True(files.Length > 20);
        Assert.All(files, file => Assert.Equal(File.ReadAllBytes(Path.Combine(first, file)), File.ReadAllBytes(Path.Combine(second, file))));
    }

    [Fact]
    public void RunWritesTheTextThatPyTorchWrites()
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Repository.PathTo("samples/tiny-v3/expected/king.json")));
        var prompt = expected.RootElement.GetProperty("prompt").GetString()!;
        var result = Dsmc.Run("run", Tiny, "--weights", TinyWeights, "--prompt", prompt, "--max-new", "64", "--precision", "fp32");
        Assert.Equal(ExitCode.Success, result.ExitCode);
        Assert.Equal(prompt + expected.RootElement.GetProperty("text").GetString() + "\n", result.Out);
        Assert.Contains("tokens/s", result.Error);
    }

    [Fact]
    public void TheSameSeedDrawsTheSameText()
    {
        string Draw(string seed) => Dsmc.Run(
            "run", Tiny, "--weights", TinyWeights, "--prompt", "ROMEO", "--max-new", "24", "--temperature", "1", "--top-p", "0.9", "--seed", seed).Out;
        Assert.Equal(Draw("7"), Draw("7"));
        Assert.NotEqual(Draw("7"), Draw("8"));
    }

    [Fact]
    public void SpeculatingSaysWhatItSavedAndWritesTheSameTokens()
    {
        var model = _folder.File("micro.dsm");
        Assert.Equal(ExitCode.Success, Dsmc.Run("import", GoldenModel.Micro.Config, "-o", model).ExitCode);
        string[] run = ["run", model, "--weights", GoldenModel.Micro.Checkpoint, "--ids", "1,2,3", "--max-new", "8", "--ignore-eos"];
        var plain = Dsmc.Run(run);
        var drafted = Dsmc.Run([.. run, "--speculate"]);
        Assert.Equal((ExitCode.Success, plain.Out), (drafted.ExitCode, drafted.Out));
        Assert.Matches(@", \d of 6 drafts accepted \(\d+%\)\n$", drafted.Error);
        using var json = JsonDocument.Parse(Dsmc.Run([.. run, "--draft", "2", "--json"]).Out);
        Assert.InRange(json.RootElement.GetProperty("drafted").GetInt32(), 7, 12);
        Assert.Equal(plain.Out.Trim(), string.Join(' ', json.RootElement.GetProperty("tokens").EnumerateArray()));
        Assert.Contains("exclude", Dsmc.Run([.. run, "--speculate", "--one-by-one"]).Error);
    }

    [Theory]
    [InlineData("--ids 1,2,x", ExitCode.Usage, "'x' is no token id")]
    [InlineData("--ids 1,2 --prompt x", ExitCode.Usage, "--prompt or --ids")]
    [InlineData("--ids 1,512", ExitCode.Usage, "512")]
    [InlineData("--ids 1 --max-new 5000", ExitCode.Usage, "1024")]
    [InlineData("--ids 1 --chunk 0", ExitCode.Usage, "--chunk")]
    [InlineData("--ids 1 --max-new x", ExitCode.Usage, "--max-new x: a whole number is expected")]
    [InlineData("--ids 1 --temperature -1", ExitCode.Usage, "The temperature is -1")]
    [InlineData("--ids @/nowhere/ids.txt", ExitCode.Trouble, "/nowhere/ids.txt")]
    [InlineData("--ids 1 --logits same.safetensors --dump ./same.safetensors", ExitCode.Usage, "the same file")]
    [InlineData("--ids 1 --precision fp7", ExitCode.Usage, "fp32, bf16, fp8")]
    [InlineData("--ids 1 --device tpu", ExitCode.Usage, "virtual, cuda")]
    [InlineData("--ids 1 --speculate --draft 0", ExitCode.Usage, "contradict")]
    [InlineData("--ids 1 --draft 17", ExitCode.Usage, "--draft 17 should be 0 to 16")]
    [InlineData("--ids 1 --speculate", ExitCode.Diagnostics, "DSM0413")]
    public void RunRefusesWhatItCannotDo(string arguments, int exitCode, string message)
    {
        var result = Dsmc.Run(["run", Tiny, "--weights", TinyWeights, .. arguments.Split(' ')]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(message, result.Error);
        Assert.DoesNotContain("mistake in dsmc", result.Error);
    }

    [Theory]
    [InlineData("9,8,7")]
    [InlineData("9 8 7\n")]
    [InlineData("9\n8\n7\n")]
    [InlineData("[9, 8, 7]")]
    public void IdsComeFromAFileHoweverTheyAreSeparated(string text)
    {
        string[] run = ["run", Tiny, "--weights", TinyWeights, "--max-new", "2", "--ids"];
        var result = Dsmc.Run([.. run, "@" + _folder.Write("ids.txt", text)]);
        Assert.Equal((ExitCode.Success, Dsmc.Run([.. run, "9,8,7"]).Out), (result.ExitCode, result.Out));
    }

    [Fact]
    public void AnAtSignMayStartAPrompt()
    {
        var result = Dsmc.Run("run", Tiny, "--weights", TinyWeights, "--prompt", "@all", "--max-new", "0");
        Assert.Equal((ExitCode.Success, "@all"), (result.ExitCode, result.Out));
    }

    [Fact]
    public void AFolderThatIsAFileCannotBeBuiltInto()
    {
        var result = Dsmc.Run("build", Tiny, "-o", _folder.Write("taken", "mine"));
        Assert.Equal(ExitCode.Trouble, result.ExitCode);
        Assert.StartsWith("dsmc: cannot write ", result.Error);
        Assert.Equal("mine", File.ReadAllText(_folder.File("taken")));
    }

    [Fact]
    public void ExplainKnowsCodesAttributesAndPasses()
    {
        Assert.Contains("q_lora_rank", Dsmc.Run("explain", "model.attention.q_rank").Out);
        Assert.Contains("Padding", Dsmc.Run("explain", "DSM0309").Out);
        Assert.Contains("residual_norm", Dsmc.Run("explain", "fuse").Out);
        Assert.Equal(ExitCode.Usage, Dsmc.Run("explain", "nonsense").ExitCode);
    }

    [Fact]
    public void FmtLeavesFormattedFilesAlone()
    {
        var file = _folder.Write("a.dsm", "param   x=7 // seven\n");
        Assert.Equal(ExitCode.Diagnostics, Dsmc.Run("fmt", "--check", file).ExitCode);
        Assert.Equal("param   x=7 // seven\n", File.ReadAllText(file));
        Assert.Equal(ExitCode.Success, Dsmc.Run("fmt", file).ExitCode);
        Assert.Contains("param x = 7", File.ReadAllText(file));
        Assert.Contains("// seven", File.ReadAllText(file));
        Assert.Equal(ExitCode.Success, Dsmc.Run("fmt", "--check", file).ExitCode);
    }

    [Fact]
    public void TheSamplesAreFormattedAndWithoutErrors()
    {
        var samples = Directory.GetFiles(Repository.PathTo("samples"), "*.dsm", SearchOption.AllDirectories);
        Assert.NotEmpty(samples);
        Assert.Equal("", Dsmc.Run(["fmt", "--check", .. samples]).Out);
        Assert.All(samples, sample => Assert.Equal(ExitCode.Success, Dsmc.Run("check", sample).ExitCode));
    }
}
