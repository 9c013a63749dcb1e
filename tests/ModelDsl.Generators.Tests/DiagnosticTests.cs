using Microsoft.CodeAnalysis;
using ModelDsl.Compiler.Binding;
using SourceText = ModelDsl.Compiler.Syntax.SourceText;

namespace ModelDsl.Generators.Tests;

/// <summary>Mistakes in a .dsm file are underlined where they are, in the words of <c>dsmc check</c>.</summary>
public class DiagnosticTests
{
    private const string File = "/p/m.dsm";

    [Theory]
    [InlineData("heads    = 4", "heds    = 4", "DSM0108", 12, 5)]
    [InlineData("heads    = 4", "heads    = 4 tokens", "DSM0202", 12, 16)]
    [InlineData("heads    = 4", "heads    = four", "DSM0204", 12, 16)]
    [InlineData("heads    = 4", "heads    =", "DSM0011", 12, 14)]
    [InlineData("heads    = 4", "heads    = 4 # many", "DSM0004", 12, 18)]
    [InlineData("hidden     = 160\n", "", "DSM0110", 4, 7)]
    [InlineData("rope_dim = 16", "rope_dim = 15", "DSM0305", 16, 16)]
    [InlineData("top(2, of: 4)", "top(2, of: 3)", "DSM0306", 31, 27)]
    [InlineData("layers 1..3", "layers 2..3", "DSM0302", 24, 10)]
    [InlineData("sigmoid(scale", "sigmoid(skale", "DSM0208", 30, 24)]
    [InlineData("vocabulary = 512", "vocabulary = 0", "DSM0205", 5, 16)]
    [InlineData("rate(0.003) }", "rate(0.003)", "DSM0008", 4, 14)]
    public void A_mistake_is_underlined_where_it_is(string right, string wrong, string id, int line, int column)
    {
        var text = GeneratorHost.TinyV3.Replace(right, wrong);
        Assert.NotEqual(GeneratorHost.TinyV3, text);
        var host = new GeneratorHost((File, text));
        var run = host.Run();
        Assert.Null(run.Exception);
        Assert.Empty(run.GeneratedSources);
        var places = run.Diagnostics.Select(found => (found.Id, Line: Start(found).Line + 1, Column: Start(found).Character + 1));
        Assert.Contains((id, line, column), places);
        SameAsCheck(text, run.Diagnostics);
    }

    [Fact]
    public void A_file_that_is_not_there_is_underlined_where_it_is_used()
    {
        var run = new GeneratorHost((File, "\n  use \"other.dsm\"\n")).Run();
        var found = Assert.Single(run.Diagnostics);
        Assert.Equal(("DSM0106", 1, 6), (found.Id, Start(found).Line, Start(found).Character));
        Assert.Contains("AdditionalFiles", found.GetMessage());
    }

    [Fact]
    public void A_mistake_in_a_used_file_is_reported_once_and_there()
    {
        var run = new GeneratorHost(
            (File, "use \"b.dsm\"\nmodel Small from TinyV3 { vocabulary = 256 }\n"),
            ("/p/b.dsm", GeneratorHost.TinyV3.Replace("heads    = 4", "heds    = 4"))).Run();
        Assert.Equal("/p/b.dsm", Assert.Single(run.Diagnostics, found => found.Id == "DSM0108").Location.GetLineSpan().Path);
    }

    [Theory]
    [InlineData("Precision", "fp7", "DSMG01")]
    [InlineData("PtxTarget", "sm_42", "DSMG01")]
    [InlineData("Model", "Large", "DSMG01")]
    [InlineData("Set", "nothing", "DSM0117")]
    [InlineData("Set", "model.hiden=4", "DSM0118")]
    public void An_option_that_means_nothing_is_reported_at_the_file(string name, string value, string id)
    {
        var run = new GeneratorHost((File, GeneratorHost.TinyV3)).With(File, name, value).Run();
        var found = Assert.Single(run.Diagnostics, found => found.Severity == DiagnosticSeverity.Error);
        Assert.Equal((id, File), (found.Id, found.Location.GetLineSpan().Path));
        Assert.Contains(value, found.GetMessage());
    }

    [Fact]
    public void Two_models_of_one_name_are_an_error_and_one_class()
    {
        var run = new GeneratorHost((File, GeneratorHost.TinyV3), ("/p/copy.dsm", GeneratorHost.TinyV3)).Run();
        var found = Assert.Single(run.Diagnostics, found => found.Severity == DiagnosticSeverity.Error);
        Assert.Equal("/p/copy.dsm", found.Location.GetLineSpan().Path);
        Assert.Single(run.GeneratedSources, source => source.HintName == "TinyV3.g.cs");
        Assert.Null(run.Exception);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0")]
    [InlineData("model")]
    [InlineData("}}}}{{{{")]
    [InlineData("use \"m.dsm\"")]
    [InlineData("model X from X { }")]
    public void No_text_makes_it_fail(string text)
    {
        var run = new GeneratorHost((File, text)).Run();
        Assert.Null(run.Exception);
        Assert.DoesNotContain(run.Diagnostics, found => found.Id == "DSMG02");
    }

    [Fact]
    public void A_cancelled_run_stops()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => new GeneratorHost((File, GeneratorHost.TinyV3)).Run(cancelled.Token));
    }

    private static void SameAsCheck(string text, IReadOnlyList<Diagnostic> reported)
    {
        var source = SourceText.From(File, text);
        var expected = FrontEnd.Bind(source).Diagnostics.Select(found =>
        {
            var (line, column) = source.Locate(found.Span.Start);
            return $"{line}:{column} {found.Id} {found.Message}{(found.Hint is null ? "" : $" ({found.Hint})")}";
        });
        Assert.Equal(
            expected,
            reported.Select(found => $"{Start(found).Line + 1}:{Start(found).Character + 1} {found.Id} {found.GetMessage()}"));
    }

    private static Microsoft.CodeAnalysis.Text.LinePosition Start(Diagnostic found) => found.Location.GetLineSpan().StartLinePosition;
}
