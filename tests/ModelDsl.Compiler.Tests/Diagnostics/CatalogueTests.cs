using System.Reflection;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Diagnostics;

public class CatalogueTests
{
    [Fact]
    public void CodesAreUnique()
    {
        var numbers = typeof(DiagnosticCode).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(f => (int)f.GetRawConstantValue()!).ToArray();
        Assert.Equal(numbers.Distinct(), numbers);
    }

    /// <summary>One factory method per code, of the same name, which gives a message of that code.</summary>
    [Fact]
    public void EveryCodeHasItsMessage()
    {
        var factories = typeof(Catalogue).GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Where(m => m.ReturnType == typeof(Diagnostic)).ToArray();
        Assert.Equal(Enum.GetNames<DiagnosticCode>().Order(StringComparer.Ordinal), factories.Select(f => f.Name)
            .Order(StringComparer.Ordinal));
        foreach (var factory in factories)
        {
            var arguments = factory.GetParameters().Select(p => Sample(p.ParameterType)).ToArray();
            var diagnostic = (Diagnostic)factory.Invoke(null, arguments)!;
            Assert.Equal(factory.Name, diagnostic.Code.ToString());
            Assert.False(diagnostic.Message.EndsWith('.'), diagnostic.Message);
        }
    }

    [Fact]
    public void EveryCodeIsExplained() => Assert.All(Enum.GetValues<DiagnosticCode>(), code =>
        Assert.StartsWith($"# {code.Id()}: ", Explanations.Of(code)));

    [Fact]
    public void NoExplanationIsLeftOver() => Assert.Equal(
        Enum.GetValues<DiagnosticCode>().Select(c => c.Id()),
        Directory.GetFiles(Repository.PathTo("src", "ModelDsl.Compiler", "Diagnostics", "Explain"))
            .Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("DSM0108", true)]
    [InlineData("dsm0108", true)]
    [InlineData("DSM9999", false)]
    [InlineData("0108", false)]
    [InlineData("DSM-108", false)]
    public void CodesAreRead(string text, bool known) => Assert.Equal(known, DiagnosticCodes.TryParse(text, out _));

    [Theory]
    [InlineData("q_rnk", "q_rank")]
    [InlineData("hiden", "hidden")]
    [InlineData("Heads", "heads")]
    [InlineData("ehads", "heads")]
    [InlineData("zzz", null)]
    public void Spelling(string word, string? near) =>
        Assert.Equal(near, Compiler.Diagnostics.Spelling.Nearest(word, ["heads", "q_rank", "kv_rank", "hidden", "v_dim"]));

    private static object? Sample(Type type) =>
        type == typeof(SourceSpan) ? SourceSpan.None
        : type == typeof(string) ? "text"
        : type == typeof(char) ? 'x'
        : type == typeof(bool) ? false
        : Convert.ChangeType(2, type);
}
