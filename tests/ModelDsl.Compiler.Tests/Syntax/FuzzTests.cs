using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Formatting;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Syntax;

/// <summary>Damages a good file at random places: the front end answers with a tree and messages, whatever comes.</summary>
public class FuzzTests
{
    private const int Cases = 300;

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
            if (formatted.Succeeded) Assert.Equal(formatted.Text, Formatter.Format(SourceText.From("fuzz.dsm", formatted.Text)).Text);
        }
    }

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
