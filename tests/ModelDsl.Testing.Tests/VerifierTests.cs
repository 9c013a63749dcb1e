using static ModelDsl.Testing.Verifier;

namespace ModelDsl.Testing.Tests;

public sealed class VerifierTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("verifier-");

    private string Source => Path.Combine(folder.FullName, "SomeTests.cs");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public Task HoldsWhereTheTextIsTheSame() => Verify("one\r\ntwo\n");

    [Fact]
    public async Task ANewTextFailsAndIsReceived()
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => Verify("text", "ptx", "case", Source, "New"));

        Assert.Contains("no snapshot yet", failure.Message);
        Assert.Equal("text", File.ReadAllText(Path.Combine(folder.FullName, "SomeTests.New_case.received.ptx")));
    }

    [Fact]
    public async Task ADifferenceIsShownFromItsFirstLine()
    {
        File.WriteAllText(Path.Combine(folder.FullName, "SomeTests.Changed.verified.txt"), "a\nb\nc\nd");

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => Verify("a\nB\nBB\nd", sourceFile: Source, method: "Changed"));

        Assert.Contains("From line 2:\n  a\n- b\n- c\n+ B\n+ BB\n", failure.Message);
    }

    [Fact]
    public void ASnapshotThatHoldsAgainLeavesNothingReceived()
    {
        File.WriteAllText(Path.Combine(folder.FullName, "SomeTests.Same.verified.txt"), "a\r\nb");
        var received = Path.Combine(folder.FullName, "SomeTests.Same.received.txt");
        File.WriteAllText(received, "older");

        Verify("a\nb", sourceFile: Source, method: "Same");

        Assert.False(File.Exists(received));
    }
}
