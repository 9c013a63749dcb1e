using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary>What a change of a model does to its kernels is seen, accepted or refused, and nothing else in the folder is touched.</summary>
public sealed class SnapshotVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _model;

    public SnapshotVerbTests() => _model = _folder.Write("tiny.dsm", Text);

    private static string Text => File.ReadAllText(Repository.PathTo("samples/tiny-v3/tiny-v3.dsm"));

    private string Snapshots => _folder.File("snapshots");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryKernelAndTheHostAreKeptBesideTheModel()
    {
        var result = Dsmc.Run("snapshot", _model);
        Assert.Equal((ExitCode.Success, ""), (result.ExitCode, result.Error));
        Assert.Matches(@"\nTinyV3 has (\d+) snapshots in .*snapshots: \1 new\.\n$", result.Out);
        var files = Contents();
        Assert.Contains("class TinyV3 : CausalLanguageModel", files["TinyV3.verified.cs"]);
        Assert.Contains(".entry argmax_v512(", files["TinyV3.argmax_v512.verified.ptx"]);
        Assert.Equal(ExitCode.Success, Dsmc.Run("build", _model, "-o", _folder.File("out")).ExitCode);
        Assert.Equal(
            Directory.GetFiles(_folder.File("out/ptx")).Select(file => $"TinyV3.{Path.GetFileNameWithoutExtension(file)}.verified.ptx").Order(StringComparer.Ordinal),
            files.Keys.Where(file => file.EndsWith(".ptx")).Order(StringComparer.Ordinal));
        Assert.All(files.Values, text => Assert.DoesNotContain('\r', text));
    }

    [Fact]
    public void WhatHoldsIsNotWrittenAgain()
    {
        Dsmc.Run("snapshot", _model);
        var before = Directory.GetFiles(Snapshots).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        foreach (var check in (string[][])[[], ["--check"]])
        {
            var result = Dsmc.Run(["snapshot", _model, .. check]);
            Assert.Equal((ExitCode.Success, $"{before.Count} snapshots of TinyV3 in {Snapshots} hold.\n"), (result.ExitCode, result.Out));
        }
        Assert.Equal(before, Directory.GetFiles(Snapshots).ToDictionary(file => file, File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void ACheckShowsWhatChangedAndWritesNothing()
    {
        Dsmc.Run("snapshot", _model);
        var before = Contents();
        File.WriteAllText(_model, Text.Replace("theta = 10000", "theta = 20000"));
        var result = Dsmc.Run("snapshot", _model, "--check");
        Assert.Equal(ExitCode.Diagnostics, result.ExitCode);
        Assert.Equal("dsmc: the snapshots do not hold; the same command without --check accepts what the model gives now\n", result.Error);
        // The rotary frequencies are numbers of the host; no kernel knows them.
        Assert.StartsWith("changed: TinyV3.verified.cs\n  --- accepted/TinyV3.verified.cs\n  +++ now/TinyV3.verified.cs\n  @@ ", result.Out);
        Assert.Contains("\n  -        Rope = new RopeLayout([1f, 0.316", result.Out);
        Assert.Contains("\n  +        Rope = new RopeLayout([1f, 0.28", result.Out);
        Assert.EndsWith($"TinyV3 has {before.Count} snapshots in {Snapshots}: 1 changed.\n", result.Out);
        Assert.Equal(before, Contents());
    }

    [Fact]
    public void AKernelOfOtherSizesIsComparedWithWhatItWas()
    {
        Dsmc.Run("snapshot", _model);
        File.WriteAllText(_model, Text.Replace("vocabulary = 512", "vocabulary = 640"));
        var check = Dsmc.Run("snapshot", _model, "--check");
        Assert.Equal(ExitCode.Diagnostics, check.ExitCode);
        Assert.Contains("renamed: TinyV3.argmax_v640.verified.ptx (before: TinyV3.argmax_v512.verified.ptx)\n", check.Out);
        Assert.Contains("\n  -.visible .entry argmax_v512(\n  +.visible .entry argmax_v640(\n", check.Out);
        Assert.DoesNotContain("stale", check.Out);

        Assert.Equal(ExitCode.Success, Dsmc.Run("snapshot", _model).ExitCode);
        Assert.Contains("TinyV3.argmax_v640.verified.ptx", Contents().Keys);
        Assert.DoesNotContain("TinyV3.argmax_v512.verified.ptx", Contents().Keys);
        Assert.Equal(ExitCode.Success, Dsmc.Run("snapshot", _model, "--check").ExitCode);
    }

    [Fact]
    public void NewKernelsComeStaleOnesGoAndWhatIsNotOfTheModelStays()
    {
        Dsmc.Run("snapshot", _model);
        var foreign = new Dictionary<string, string>
        {
            ["Other.argmax_v512.verified.ptx"] = "of another model",
            ["TinyV3.Some.Test.verified.ptx"] = "of a test",
            ["TinyV3.notes.md"] = "mine",
        };
        foreach (var (name, text) in foreign) File.WriteAllText(Path.Combine(Snapshots, name), text);

        // No groups of experts: another gate.
        File.WriteAllText(_model, Text.Replace(", groups = top(2, of: 4)", "").Replace("groups = top(2, of: 4)", ""));
        Assert.NotEqual(Text, File.ReadAllText(_model));
        var check = Dsmc.Run("snapshot", _model, "--check");
        Assert.Matches(@"(?m)^new: TinyV3\.gate_e8_k2_sigmoid_x1_norm_bias\.verified\.ptx \(\d+ lines\)$", check.Out);
        Assert.Contains("stale: TinyV3.gate_e8_k2_sigmoid_x1_norm_bias_g4_2_top2.verified.ptx (the model has no such kernel any more)\n", check.Out);

        Assert.Equal(ExitCode.Success, Dsmc.Run("snapshot", _model).ExitCode);
        var files = Contents();
        Assert.Single(files.Keys, file => file.StartsWith("TinyV3.gate_"));
        Assert.All(foreign, file => Assert.Equal(file.Value, files[file.Key]));
        Assert.Equal(ExitCode.Success, Dsmc.Run("snapshot", _model, "--check").ExitCode);
    }

    [Theory]
    [InlineData("hidden     = 160", "hiden = 160")]
    [InlineData("rope_dim = 16", "rope_dim = 15")]
    [InlineData("model TinyV3", "}")]
    public void AModelThatDoesNotCompileLeavesThemAsTheyAre(string right, string wrong)
    {
        Dsmc.Run("snapshot", _model);
        var before = Contents();
        File.WriteAllText(_model, Text.Replace(right, wrong));
        Assert.NotEqual(Text, File.ReadAllText(_model));
        foreach (var check in (string[][])[[], ["--check"]])
        {
            var result = Dsmc.Run(["snapshot", _model, .. check]);
            Assert.Equal(ExitCode.Diagnostics, result.ExitCode);
            Assert.Contains(": error DSM", result.Error);
        }
        Assert.Equal(before, Contents());
    }

    [Fact]
    public void OptionsOfTheBuildCountAndTheFolderCanBeChosen()
    {
        var (plain, narrow) = (_folder.File("plain"), _folder.File("narrow"));
        Dsmc.Run("snapshot", _model, "-o", plain);
        Assert.Equal(ExitCode.Success, Dsmc.Run("snapshot", _model, "-o", narrow, "--precision", "fp8", "--target", "sm_90a", "--max-context", "256").ExitCode);
        Assert.Contains("TinyV3 for sm_90a", File.ReadAllText(Path.Combine(narrow, "TinyV3.verified.cs")));
        Assert.False(Directory.Exists(Snapshots));
        Assert.Equal(ExitCode.Diagnostics, Dsmc.Run("snapshot", _model, "-o", plain, "--check", "--set", "model.vocabulary=640").ExitCode);
        Assert.Equal(ExitCode.Success, Dsmc.Run("snapshot", _model, "-o", plain, "--check").ExitCode);
    }

    [Fact]
    public void LineEndsOfACheckoutMakeNoDifference()
    {
        Dsmc.Run("snapshot", _model);
        foreach (var file in Directory.GetFiles(Snapshots)) File.WriteAllText(file, File.ReadAllText(file).Replace("\n", "\r\n"));
        Assert.Equal(ExitCode.Success, Dsmc.Run("snapshot", _model, "--check").ExitCode);
    }

    [Fact]
    public void ACheckWithoutAFolderFailsAndMakesNone()
    {
        var result = Dsmc.Run("snapshot", _model, "--check");
        Assert.Equal(ExitCode.Diagnostics, result.ExitCode);
        Assert.Contains("new: TinyV3.verified.cs (", result.Out);
        Assert.False(Directory.Exists(Snapshots));
    }

    [Theory]
    [InlineData("--check")]
    [InlineData("--set=model.vocabulary=512")]
    public void AFileInThePlaceOfTheFolderIsTrouble(string option)
    {
        _folder.Write("snapshots", "mine");
        var result = Dsmc.Run("snapshot", _model, option);
        Assert.Equal(ExitCode.Trouble, result.ExitCode);
        Assert.Equal($"dsmc: '{Snapshots}' is a file; snapshots are kept in a folder\n", result.Error);
        Assert.Equal("mine", File.ReadAllText(Snapshots));
    }

    [Theory]
    [InlineData("--max-context", "0")]
    [InlineData("--model", "Large")]
    [InlineData("--accept")]
    public void OptionsWithoutSenseAreRefusedWithTwo(params string[] options)
    {
        Assert.Equal(ExitCode.Usage, Dsmc.Run(["snapshot", _model, .. options]).ExitCode);
        Assert.False(Directory.Exists(Snapshots));
    }

    private Dictionary<string, string> Contents() => Directory.GetFiles(Snapshots).ToDictionary(file => Path.GetFileName(file), File.ReadAllText);
}
