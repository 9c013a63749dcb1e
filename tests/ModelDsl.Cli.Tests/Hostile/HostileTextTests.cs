using System.Diagnostics;
using System.Text;

namespace ModelDsl.Cli.Tests.Hostile;

/// <summary>Files that are no .dsm text, or mean harm: the right exit code, a message.</summary>
public class HostileTextTests
{
    private const string Model =
        "model M { vocabulary = 64, hidden = 64, attention mla { heads = 2, kv_rank = 32, nope_dim = 16, rope_dim = 8, v_dim = 16 }, layers 0 { dense { width = 64 } } }\n";

    [Theory]
    [InlineData("model M {\0}", "DSM0003")]
    [InlineData("model ../../x { }", "DSM0010")]
    [InlineData("model M { hidden = 1e999999 }", "DSM0")]
    [InlineData("use \"self.dsm\"", "DSM0107")]
    [InlineData("use \".\"", "DSM0")]
    [InlineData("use \"/dev/zero\"", "DSM0")]
    [InlineData("use \"\"", "DSM0")]
    [InlineData("use \"../../../../../../etc/passwd\"", "DSM0")]
    public void Bad_text_has_diagnostics(string text, string code)
    {
        using var folder = new TemporaryFolder();
        var run = Check(folder.Write("self.dsm", text));
        Assert.Equal(ExitCode.Diagnostics, run.ExitCode);
        Assert.Contains($"error {code}", run.Error);
    }

    [Fact]
    public void A_hundred_megabytes_are_not_read()
    {
        using var folder = new TemporaryFolder();
        using (var stream = File.Create(folder.File("huge.dsm"))) stream.SetLength(100_000_000);
        var before = GC.GetTotalAllocatedBytes();
        var run = Check(folder.File("huge.dsm"));
        Assert.Equal(ExitCode.Diagnostics, run.ExitCode);
        Assert.Contains("the file has 100 000 000 bytes", run.Error);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("ceil(", ")")]
    public void Ten_thousand_levels_are_too_deep(string open, string close)
    {
        using var folder = new TemporaryFolder();
        var nest = string.Concat(Enumerable.Repeat(open, 10_000)) + "1" + string.Concat(Enumerable.Repeat(close, 10_000));
        Assert.Equal(ExitCode.Diagnostics, Check(folder.Write("deep.dsm", $"param x = {nest}\n" + Model)).ExitCode);
        var blocks = string.Concat(Enumerable.Repeat("rope { ", 10_000)) + new string('}', 10_000);
        Assert.Equal(ExitCode.Diagnostics, Check(folder.Write("deep.dsm", $"model M {{ {blocks} }}")).ExitCode);
    }

    [Fact]
    public void Ten_thousand_signs_and_terms_are_not_deep()
    {
        using var folder = new TemporaryFolder();
        var text = $"param x = {new string('-', 10_000)}64\nparam y = {string.Join(" + ", Enumerable.Repeat("1", 10_000))}\n{Model}";
        Assert.Equal((ExitCode.Success, "No errors.\n"), Check(folder.Write("long.dsm", text)) is var run ? (run.ExitCode, run.Out) : default);
    }

    /// <summary>Each line doubles the one before; what is known once is not worked out again.</summary>
    [Fact]
    public void Parameters_that_double_cost_nothing()
    {
        using var folder = new TemporaryFolder();
        var text = "param x0 = 1\n" + string.Concat(Enumerable.Range(1, 150).Select(i => $"param x{i} = x{i - 1} + x{i - 1}\n")) + Model;
        Assert.Equal(ExitCode.Success, Check(folder.Write("bomb.dsm", text)).ExitCode);
        var lists = "param x0 = [1, 2]\n" + string.Concat(Enumerable.Range(1, 150).Select(i => $"param x{i} = [x{i - 1}, x{i - 1}]\n")) + Model;
        Check(folder.Write("lists.dsm", lists));
        var attributes = Model.Replace("hidden = 64", string.Join(", ", Enumerable.Range(0, 120).Select(i => $"a{i} = a{i + 1} * a{i + 1}")) + ", hidden = a0");
        Assert.Equal(ExitCode.Diagnostics, Check(folder.Write("attributes.dsm", attributes)).ExitCode);
    }

    [Theory]
    [InlineData("layers 0..999999999 { dense { width = 64 } }")]
    [InlineData("layers 0..1000000 { dense { width = 64 } }")]
    [InlineData("layers 0 { moe { routed = 1048576, active = 1048576, width = 4194304, gate = sigmoid } }")]
    [InlineData("layers 0 { dense { width = 2147483648 } }")]
    public void Sizes_that_no_machine_has_are_refused(string layers)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("huge.dsm", Model.Replace("layers 0 { dense { width = 64 } }", layers));
        Assert.Equal(ExitCode.Diagnostics, Dsmc.Run("build", file, "-o", folder.File("out")).ExitCode);
        Assert.False(Directory.Exists(folder.File("out")));
    }

    /// <summary>What a kernel would have to keep in registers, written out, has an end.</summary>
    [Theory]
    [InlineData("kv_rank = 32", "kv_rank = 4194304")]
    [InlineData("nope_dim = 16", "nope_dim = 4194304")]
    [InlineData("rope_dim = 8", "rope_dim = 4194304")]
    [InlineData("v_dim = 16", "v_dim = 4194304")]
    public void Heads_that_no_kernel_can_hold_are_refused(string usual, string huge)
    {
        using var folder = new TemporaryFolder();
        var run = Dsmc.Run("build", folder.Write("wide.dsm", Model.Replace(usual, huge)), "-o", folder.File("out"));
        Assert.Equal(ExitCode.Diagnostics, run.ExitCode);
        Assert.Contains(huge.Split(' ')[0] + " = 4 194 304; it must be from 1 to", run.Error);
    }

    [Fact]
    public void A_circle_of_files_and_of_bases_is_told_once()
    {
        using var folder = new TemporaryFolder();
        folder.Write("b.dsm", "use \"a.dsm\"\n");
        var run = Check(folder.Write("a.dsm", "use \"b.dsm\"\nmodel A from B { }\nmodel B from A { }\n"));
        Assert.Equal(ExitCode.Diagnostics, run.ExitCode);
        Assert.Contains("2 errors.", run.Out);
    }

    [Fact]
    public void A_pipe_without_a_writer_a_device_without_an_end_and_a_folder_are_trouble()
    {
        using var folder = new TemporaryFolder();
        using (var make = Process.Start("mkfifo", [folder.File("pipe.dsm")])) make.WaitForExit();
        Assert.Equal(ExitCode.Trouble, Check(folder.File("pipe.dsm")).ExitCode);
        Assert.Equal(ExitCode.Trouble, Check(folder.Path).ExitCode);
        Assert.Equal(ExitCode.Trouble, Check(folder.File("absent.dsm")).ExitCode);
        Assert.Equal(ExitCode.Diagnostics, Check("/dev/zero").ExitCode);
        Assert.Equal(ExitCode.Diagnostics, Check("/dev/urandom").ExitCode);
        Assert.Equal(ExitCode.Success, Check("/dev/null").ExitCode);
    }

    [Theory]
    [InlineData("\uFEFF")]
    [InlineData("// 😀 é\r\n")]
    [InlineData("\r\n\r\n\t\f")]
    public void Marks_and_line_ends_of_other_systems_are_fine(string before)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("m.dsm"), before + Model.Replace("\n", "\r\n"), new UTF8Encoding(false));
        Assert.Equal((ExitCode.Success, ""), Check(folder.File("m.dsm")) is var run ? (run.ExitCode, run.Error) : default);
    }

    [Theory]
    [InlineData("")]
    [InlineData("=")]
    [InlineData("x")]
    [InlineData("model.attention.heads=")]
    [InlineData("model.attention.heads=((((")]
    [InlineData("model..heads=1")]
    [InlineData("model.layers[=1")]
    [InlineData("../../x=1")]
    [InlineData("model.hidden=1e400")]
    [InlineData("model.hidden=\0")]
    [InlineData("model.hidden=\uD800")]
    public void Overrides_that_make_no_sense_have_diagnostics(string set)
    {
        using var folder = new TemporaryFolder();
        var run = Dsmc.Run("check", folder.Write("m.dsm", Model), "--set", set);
        Assert.Equal(ExitCode.Diagnostics, run.ExitCode);
        Assert.Contains("error DSM", run.Error);
    }

    /// <summary>What hangs is stopped and told by the test run; how long it takes says more about the machine.</summary>
    private static Dsmc Check(string file)
    {
        var run = Dsmc.Run("check", file);
        Assert.DoesNotContain("mistake in dsmc", run.Error);
        return run;
    }
}
