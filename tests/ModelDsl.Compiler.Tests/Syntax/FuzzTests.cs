using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Formatting;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Syntax;

/// <summary>Damages a good file at random places: the front end answers with a tree and messages, whatever comes.</summary>
public class FuzzTests
{
    private const int Cases = 400;

    private static readonly string[] Splinters =
    [
        "{", "}", "(", ")", "[", "]", "=", ",", ":", "..", "-", "*", "/", "+", "\"", "//", "/*", "*/", "#", "\0", "é", "\uD800", "😀",
        "0", "1e999", "-1",
        "model", "from", "use", "param", "none", "3.5 GB/s", "0..99999999", "9999999999999999999999", "\r", "\t", "\n", "layers 0..2 { }",
        "x.y.z",
    ];

    [Fact]
    public void NeverThrows()
    {
        var good = File.ReadAllText(Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm"));
        var random = new Random(20240607);
        for (var i = 0; i < Cases; i++)
        {
            var text = good;
            for (var edits = random.Next(1, 6); edits > 0; edits--) text = Damage(text, random);
            var source = SourceText.From("fuzz.dsm", text);
            var program = FrontEnd.Bind(source, new BindOptions(i % 3 == 0 ? [Damage("model.attention.heads=64", random)] : []));
            Assert.All(program.Diagnostics, d => Assert.InRange(d.Span.Start, 0, Math.Max(text.Length, 200)));
            DiagnosticText.Render(program.Diagnostics, program.Source);
            DiagnosticSarif.Render(program.Diagnostics, program.Source);
            var formatted = Formatter.Format(source);
            if (formatted.Succeeded) IsFormattedOnce(text, formatted.Text);
        }
    }

    /// <summary>Comments and line ends in every gap of a good file.</summary>
    [Fact]
    public void FormattingKeepsCommentsWhereverTheyAre()
    {
        var good = File.ReadAllText(Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm"));
        var gaps = Enumerable.Range(0, good.Length).Where(i => good[i] is ' ' or '\n').ToArray();
        string[] inserted = [" /* c */ ", " // c\n", "\n", "\n\n\n", " /* c\n   d */ ", "\t"];
        var random = new Random(7);
        var formatted = 0;
        for (var i = 0; i < Cases; i++)
        {
            var text = good;
            foreach (var gap in gaps.OrderBy(_ => random.Next()).Take(random.Next(1, 4)).OrderDescending())
                text = text.Insert(gap, inserted[random.Next(inserted.Length)]);
            var result = Formatter.Format(SourceText.From("fuzz.dsm", text));
            if (!result.Succeeded) continue;
            IsFormattedOnce(text, result.Text);
            formatted++;
        }
        Assert.InRange(formatted, Cases / 4, Cases);
    }

    private static void IsFormattedOnce(string text, string formatted)
    {
        Assert.Equal(formatted, Formatter.Format(SourceText.From("fuzz.dsm", formatted)).Text);
        Assert.Equal(Substance(text), Substance(formatted));
    }

    /// <summary>All characters but blanks and commas, in no order: a comment may move, nothing may get lost.</summary>
    private static string Substance(string text) =>
        string.Concat(text.Where(c => !char.IsWhiteSpace(c) && c != ',').Order());

    private static string Damage(string text, Random random)
    {
        var at = random.Next(text.Length + 1);
        var length = Math.Min(random.Next(12), text.Length - at);
        return random.Next(4) switch
        {
            0 => text.Remove(at, length),
            1 => text.Insert(at, Splinters[random.Next(Splinters.Length)]),
            2 => text.Remove(at, length).Insert(at, Splinters[random.Next(Splinters.Length)]),
            _ => text.Insert(at, text.Substring(random.Next(text.Length - length + 1), length)),
        };
    }
}
