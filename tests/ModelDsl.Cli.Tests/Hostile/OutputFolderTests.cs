using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests.Hostile;

/// <summary><c>build</c> writes all of its files or none, nothing outside its folder, and leaves nothing of its own lying about.</summary>
public class OutputFolderTests
{
    private static readonly string Sample = Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm");

    [Fact]
    public void Kernels_of_an_earlier_build_go_and_other_files_stay()
    {
        using var folder = new TemporaryFolder();
        Build(folder, "fp8");
        var fp8 = Files(folder);
        File.WriteAllText(folder.File("out/notes.txt"), "mine");
        File.WriteAllText(folder.File("out/ptx/mine.ptx"), "mine");
        Build(folder, "fp32");
        var fp32 = Files(folder);
        Assert.Contains("out/notes.txt", fp32);
        Assert.Contains("out/ptx/mine.ptx", fp32);

        using var fresh = new TemporaryFolder();
        Build(fresh, "fp32");
        Assert.Equal(Files(fresh).Append("out/notes.txt").Append("out/ptx/mine.ptx").Order(StringComparer.Ordinal), fp32);
        Assert.NotEqual(fp8.Length, fp32.Length);
    }

    [Fact]
    public void What_cannot_be_written_in_full_is_not_written_at_all()
    {
        using var folder = new TemporaryFolder();
        Build(folder, "bf16");
        var before = Contents(folder);
        // A folder where a file should go: found out after all others would have been written.
        File.Delete(folder.File("out/plan.json"));
        Directory.CreateDirectory(folder.File("out/plan.json"));
        before.Remove("out/plan.json");

        var run = Dsmc.Run("build", Sample, "-o", folder.File("out"), "--precision", "fp32");

        Assert.Equal(ExitCode.Trouble, run.ExitCode);
        Assert.Contains("'plan.json' is a folder there", run.Error);
        Assert.Equal(before, Contents(folder));
    }

    [Fact]
    public void An_output_path_that_is_a_file_or_lies_under_one_is_trouble()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("file", "mine");
        foreach (var output in new[] { file, Path.Combine(file, "a", "b") })
        {
            var run = Dsmc.Run("build", Sample, "-o", output);
            Assert.Equal(ExitCode.Trouble, run.ExitCode);
            Assert.Contains("cannot write to", run.Error);
        }

        Assert.Equal("mine", File.ReadAllText(file));
        Assert.Equal(["file"], Files(folder));
    }

    /// <summary>Names of kernels come from the compiler; one that an earlier manifest names is followed nowhere else.</summary>
    [Fact]
    public void A_manifest_that_points_elsewhere_deletes_nothing()
    {
        using var folder = new TemporaryFolder();
        folder.Write("precious.ptx", "mine");
        Directory.CreateDirectory(folder.File("out"));
        folder.Write("out/manifest.json", "{\"kernels\":[{\"name\":\"../../precious\"},{\"name\":\"\"},{\"name\":null},{\"name\":3},{}]}");
        Build(folder, "bf16");
        Assert.Equal("mine", File.ReadAllText(folder.File("precious.ptx")));
        folder.Write("out/manifest.json", "[[[");
        Build(folder, "bf16");
    }

    [Fact]
    public void A_folder_made_for_a_build_that_fails_goes_again()
    {
        using var folder = new TemporaryFolder();
        var run = Dsmc.Run("build", folder.Write("m.dsm", "model M {"), "-o", folder.File("a/b"));
        Assert.Equal(ExitCode.Diagnostics, run.ExitCode);
        Assert.Equal(["m.dsm"], Files(folder));
        Assert.False(Directory.Exists(folder.File("a")));
    }

    [Fact]
    public void A_text_file_that_cannot_be_written_leaves_the_old_one()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("out.dsm"));
        var config = Repository.PathTo("samples", "tiny-v3", "checkpoint", "config.json");
        Assert.Equal(ExitCode.Trouble, Dsmc.Run("import", config, "-o", folder.File("out.dsm")).ExitCode);
        Assert.Equal(ExitCode.Trouble, Dsmc.Run("import", config, "-o", folder.File("a\0b")).ExitCode);
        Assert.Empty(Files(folder));
    }

    private static void Build(TemporaryFolder folder, string precision)
    {
        var run = Dsmc.Run("build", Sample, "-o", folder.File("out"), "--precision", precision);
        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.Error));
    }

    private static string[] Files(TemporaryFolder folder) =>
        [.. Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder.Path, path)).Order(StringComparer.Ordinal)];

    private static SortedDictionary<string, string> Contents(TemporaryFolder folder) =>
        new(Files(folder).ToDictionary(path => path, path => File.ReadAllText(folder.File(path))), StringComparer.Ordinal);
}
