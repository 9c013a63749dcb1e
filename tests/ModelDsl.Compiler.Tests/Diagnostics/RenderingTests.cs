using System.Text.Json;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Diagnostics;

public class RenderingTests
{
    private static readonly SourceText Source = SourceText.From("dir/a b.dsm", "model M {\n\tq_rnk = 1536\n}\n");

    private static readonly Diagnostic Sample =
        Catalogue.UnknownEntry(new SourceSpan(Source.Path, 11, 5), "attribute", "q_rnk", "attention", "did you mean 'q_rank'?")
            .WithNote(new SourceSpan(Source.Path, 6, 1), "\"M\" starts here");

    [Fact]
    public void Text() => Assert.Equal(
        """
        dir/a b.dsm:2:2: error DSM0108: 'attention' has no attribute 'q_rnk'
            2 |  q_rnk = 1536
              |  ^^^^^
              = did you mean 'q_rank'?
        dir/a b.dsm:1:7: note: "M" starts here
            1 | model M {
              |       ^

        """, DiagnosticText.Render([Sample], _ => Source));

    [Fact]
    public void TextWithoutSource() => Assert.Equal(
        "dir/a b.dsm: error DSM0008: '{' is never closed\n      = add '}' where the block ends\n",
        DiagnosticText.Render([Catalogue.OpenBrace(new SourceSpan(Source.Path, 8, 1))], _ => null));

    [Fact]
    public void LongLinesAreCutAroundTheCaret()
    {
        var source = SourceText.From("long.dsm", new string('x', 1000) + " here " + new string('y', 1000));
        var text = DiagnosticText.Render([Catalogue.OpenBrace(new SourceSpan("long.dsm", 1001, 4))], _ => source).Split('\n');
        Assert.Equal("here", text[1].Substring(text[2].IndexOf('^'), 4));
        Assert.True(text[1].Length < 160);
    }

    [Fact]
    public void Json()
    {
        using var json = JsonDocument.Parse(DiagnosticJson.Render([Sample], _ => Source));
        var item = json.RootElement[0];
        Assert.Equal(("DSM0108", "error", 2, 2, 2, 7), (item.GetProperty("code").GetString(), item.GetProperty("severity").GetString(),
            item.GetProperty("line").GetInt32(), item.GetProperty("column").GetInt32(), item.GetProperty("endLine").GetInt32(),
                item.GetProperty("endColumn").GetInt32()));
        Assert.Equal("\"M\" starts here", item.GetProperty("notes")[0].GetProperty("message").GetString());
    }

    [Fact]
    public Task Sarif()
    {
        var text = DiagnosticSarif.Render([Sample], _ => Source);
        using var json = JsonDocument.Parse(text);
        Assert.Equal("2.1.0", json.RootElement.GetProperty("version").GetString());
        return Verifier.Verify(text, "json");
    }

    [Theory]
    [InlineData("")]
    [InlineData("quote \" backslash \\ newline \n tab \t bell \a lone \uD800 pair 😀 µ")]
    public void JsonTextIsRead(string value)
    {
        using var json = JsonDocument.Parse(new JsonText().Array(null, a => a.Value(null, value).Value(null, 1L).Value(null, 0.1).Value(
            null, true).Object(null, _ => { })).ToString());
        Assert.Equal(5, json.RootElement.GetArrayLength());
        if (!value.Contains('\uD800')) Assert.Equal(value, json.RootElement[0].GetString());
    }
}
