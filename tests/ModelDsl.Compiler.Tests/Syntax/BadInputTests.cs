using System.Diagnostics;
using System.Text;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Tests.Syntax;

/// <summary>Whatever the bytes are: a diagnostic, soon, and no exception.</summary>
public class BadInputTests
{
    [Fact]
    public void Huge() => Only(DiagnosticCode.FileTooLarge, new byte[100_000_000]);

    [Fact]
    public void Nul() => Only(DiagnosticCode.NulCharacter, Encoding.Unicode.GetBytes("model M { }"));

    [Fact]
    public void InvalidUtf8() => Only(DiagnosticCode.InvalidUtf8, [.. "model M "u8, 0xC3, 0x28]);

    [Fact]
    public void TruncatedUtf8() => Only(DiagnosticCode.InvalidUtf8, [.. "model M "u8, 0xE9, 0xBC]);

    [Theory]
    [InlineData('(')]
    [InlineData('[')]
    [InlineData('{')]
    public void Deep(char bracket) => Only(DiagnosticCode.TooDeep, Encoding.UTF8.GetBytes("param x = " + new string(bracket, 10_000)));

    [Fact]
    public void DeepAndClosed() =>
        Only(DiagnosticCode.TooDeep, Encoding.UTF8.GetBytes($"param x = {new string('(', 10_000)}1{new string(')', 10_000)}"));

    [Fact]
    public void AsDeepAsAllowed()
    {
        var program = FrontEnd.Bind(SourceText.From("deep.dsm", $"param x = {new string('(', 200)}1{new string(')', 200)}"));
        Assert.Empty(program.Diagnostics);
    }

    [Fact]
    public void LongSumsAreFlat()
    {
        var sum = string.Join(" + ", Enumerable.Repeat("1", 100_000));
        Assert.Empty(FrontEnd.Bind(SourceText.From("sum.dsm", $"param x = {sum}\nparam y = {new string('-', 100_000)} 1")).Diagnostics);
    }

    [Theory]
    [InlineData("param x{0} = x{1} + 1\n", DiagnosticCode.ChainTooLong)]
    [InlineData("model M{0} from M{1} {{ }}\n", DiagnosticCode.ChainTooLong)]
    [InlineData("extend M{0} from M{1} {{ stage {{ sequence = 1, batch = 1, steps = 1, rate = 0.1 }} }}\n", DiagnosticCode.ChainTooLong)]
    public void LongChains(string line, DiagnosticCode code)
    {
        var text = string.Concat(Enumerable.Range(0, 5000).Select(i => string.Format(line, i, i + 1)));
        Assert.Contains(FrontEnd.Bind(SourceText.From("chain.dsm", text)).Diagnostics, d => d.Code == code);
    }

    [Theory]
    [InlineData("CON", true)]
    [InlineData("nul", true)]
    [InlineData("Lpt9", true)]
    [InlineData("COM10", false)]
    [InlineData("Console", false)]
    public void NamesOfDevices(string name, bool refused)
    {
        var found = FrontEnd.Bind(SourceText.From("device.dsm", $"model {name} {{ vocabulary = 8 }}")).Diagnostics.Where(d => d.Code == DiagnosticCode.DeviceName);
        Assert.Equal(refused ? 1 : 0, found.Count(d => d.Message.StartsWith($"'{name}'", StringComparison.Ordinal)));
    }

    [Fact]
    public void BracketsAndNamesTogether()
    {
        var text = string.Concat(Enumerable.Range(0, 500)
            .Select(i => $"param x{i} = {new string('(', 199)}x{i + 1} + 1{new string(')', 199)}\n"));
        Assert.Contains(FrontEnd.Bind(SourceText.From("chain.dsm", text)).Diagnostics, d => d.Code == DiagnosticCode.ChainTooLong);
    }

    [Fact]
    public void EmptyIsFine() => Assert.Empty(FrontEnd.Bind(SourceText.FromBytes("empty.dsm", [])).Diagnostics);

    [Fact]
    public void ByteOrderMarkIsFine() =>
        Assert.Empty(FrontEnd.Bind(SourceText.FromBytes("bom.dsm", [0xEF, 0xBB, 0xBF, .. "param x = 1"u8])).Diagnostics);

    [Fact]
    public void ManyErrorsAreCounted()
    {
        var program = FrontEnd.Bind(SourceText.From("many.dsm", string.Concat(Enumerable.Range(0, 500).Select(i =>
            $"param x{i} = 1 xyz\n"))));
        Assert.Equal(101, program.Diagnostics.Length);
        Assert.Equal(DiagnosticCode.TooManyErrors, program.Diagnostics[100].Code);
        Assert.Equal("400 more errors are not shown", program.Diagnostics[100].Message);
    }

    private static void Only(DiagnosticCode code, byte[] bytes)
    {
        var watch = Stopwatch.StartNew();
        var program = FrontEnd.Bind(SourceText.FromBytes("bad.dsm", bytes));
        Assert.Equal([code], program.Diagnostics.Select(d => d.Code));
        Assert.NotEmpty(DiagnosticText.Render(program.Diagnostics, program.Source));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 10);
    }
}
