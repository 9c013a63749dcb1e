using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace ModelDsl.Generators.Tests;

/// <summary>Files that nobody means to write: what is wrong with them is said at its place in the file, and the generator lives on.</summary>
public class HostileFileTests
{
    private const string File = "/p/m.dsm";
    private const int Levels = 10_000;
    private const int FiveMegabytes = 5 << 20;

    public static TheoryData<string, string> Texts => new()
    {
        { "nothing but a byte-order mark", "\uFEFF" },
        { "zeros", "\0\0\0" },
        { "a zero in a name", "model A\0B { }" },
        { "a lone high surrogate", "model \uD800 { }" },
        { "a lone low surrogate in a string", "use \"\uDC00.dsm\"" },
        { "a surrogate at the very end", "model A { hidden = 1 \uD83D" },
        { "blocks in blocks", "model A " + string.Concat(Enumerable.Repeat("{ attention mla ", Levels)) },
        { "brackets in brackets", $"model A {{ hidden = {new string('(', Levels)}1{new string(')', Levels)} }}" },
        { "calls in calls", $"model A {{ norm = {string.Concat(Enumerable.Repeat("rms(epsilon: ", Levels))}" },
        { "signs before signs", $"model A {{ hidden = {new string('-', Levels)}1 }}" },
        { "five megabytes of one word", "model " + new string('a', FiveMegabytes) },
        { "five megabytes of braces", new string('}', FiveMegabytes) },
        { "five megabytes of digits", "model A { hidden = " + new string('9', FiveMegabytes) + " }" },
        { "a string that never ends", "use \"" + new string('x', FiveMegabytes) },
        { "a file that uses itself", "use \"m.dsm\"\nmodel A from A { }" },
        { "a file of the machine", "use \"/etc/hostname\"" },
        { "a file above all folders", "use \"../../../../m.dsm\"" },
        { "a folder", "use \"/p/\"" },
        { "a way out of the folder as a name", Named("../../x") },
        { "a way out of the folder in quotes", Named("\"../../x\"") },
        { "two models of one name", GeneratorHost.TinyV3 + GeneratorHost.TinyV3 },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void What_is_wrong_is_said_at_its_place(string what, string text)
    {
        var run = new GeneratorHost((File, text)).Run();
        Sound(run, (File, text));
        Assert.Empty(run.GeneratedSources);
        Assert.True(what == "nothing but a byte-order mark" || run.Diagnostics.Any(found => found.Severity == DiagnosticSeverity.Error), what);
    }

    [Fact]
    public void An_empty_file_is_no_model_and_no_mistake()
    {
        var run = new GeneratorHost((File, "")).Run();
        Sound(run, (File, ""));
        Assert.Empty(run.GeneratedSources);
    }

    [Fact]
    public void Files_that_use_each_other_in_a_ring_are_refused()
    {
        (string, string)[] files = [(File, "use \"b.dsm\""), ("/p/b.dsm", "use \"c.dsm\""), ("/p/c.dsm", "use \"./x/../m.dsm\"")];
        var run = new GeneratorHost(files).Run();
        Sound(run, files);
        Assert.Contains(run.Diagnostics, found => found.Severity == DiagnosticSeverity.Error);
    }

    [Fact]
    public void An_additional_file_of_another_kind_is_not_used()
    {
        (string, string)[] files = [(File, "use \"base.txt\"\nmodel A from TinyV3 { }"), ("/p/base.txt", GeneratorHost.TinyV3)];
        var run = new GeneratorHost(files).Run();
        Sound(run, files);
        Assert.Contains(run.Diagnostics, found => found.Id == "DSM0106");
        Assert.Empty(run.GeneratedSources);
    }

    [Fact]
    public void Files_of_one_name_in_two_folders_are_two_files()
    {
        (string, string)[] files =
        [
            ("/a/m.dsm", GeneratorHost.TinyV3),
            ("/b/m.dsm", Named("Other")),
            ("/c/m.dsm", "use \"../b/m.dsm\"\nmodel Third from Other { vocabulary = 256 }"),
        ];
        var run = new GeneratorHost(files).Run();
        Sound(run, files);
        Assert.Empty(run.Diagnostics);
        string[] classes = ["TinyV3.g.cs", "Other.g.cs", "Third.g.cs"];
        Assert.Equal(classes, run.GeneratedSources.Select(source => source.HintName).Where(classes.Contains));
    }

    [Theory]
    [InlineData("class", "Class")]
    [InlineData("namespace", "Namespace")]
    [InlineData("Object", "Object")]
    public void A_model_called_by_a_word_that_is_taken_elsewhere_is_a_class_that_compiles(string name, string generated)
    {
        var text = Named(name);
        var host = new GeneratorHost((File, text));
        var run = host.Run();
        Sound(run, (File, text));
        Assert.Contains(run.GeneratedSources, source => source.HintName == generated + ".g.cs");
        Assert.Empty(host.Output.GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error));
    }

    [Fact]
    public void A_model_called_like_a_device_of_Windows_is_refused_and_nothing_is_generated()
    {
        var text = Named("CON");
        var run = new GeneratorHost((File, text)).Run();
        Sound(run, (File, text));
        Assert.Equal("DSM0123", Assert.Single(run.Diagnostics).Id);
        Assert.DoesNotContain(run.GeneratedSources, source => source.HintName == "CON.g.cs");
    }

    private static string Named(string name) => GeneratorHost.TinyV3.Replace("model TinyV3", $"model {name}");

    /// <summary>No exception, which the C# compiler would report as CS8785; every message is the language's own and lies within its file.</summary>
    private static void Sound(GeneratorRunResult run, params (string Path, string Text)[] files)
    {
        Assert.Null(run.Exception);
        var texts = files.ToDictionary(file => file.Path, file => SourceText.From(file.Text));
        foreach (var found in run.Diagnostics)
        {
            Assert.Matches("^DSM[0-9]{4}$", found.Id);
            Assert.NotEmpty(found.GetMessage());
            var place = found.Location.GetLineSpan();
            var text = texts[place.Path];
            Assert.InRange(found.Location.SourceSpan.End, 0, text.Length);
            Assert.Equal(text.Lines.GetLinePosition(found.Location.SourceSpan.Start), place.StartLinePosition);
        }
    }
}
