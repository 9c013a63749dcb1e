using System.Runtime.CompilerServices;
using System.Text;
using Xunit;

namespace ModelDsl.Testing;

/// <summary>
/// Snapshots after the conventions of Verify.Xunit: the expected text of <c>Class.Method</c> lies beside its source file as
/// <c>Class.Method.verified.txt</c>. A text that differs is written as <c>*.received.*</c> and fails the test; renaming that
/// file, or <c>tests/accept</c>, or running with <c>DSM_ACCEPT=1</c>, accepts it.
/// </summary>
public static class Verifier
{
    private const int DiffLines = 20;

    /// <summary>Compares a text with its snapshot; <c>return Verify(text)</c> ends a test.</summary>
    /// <param name="target">The text; line ends do not matter.</param>
    /// <param name="extension">The snapshot's extension, without a dot.</param>
    /// <param name="suffix">Tells several snapshots of one method apart, such as the cases of a theory.</param>
    /// <param name="sourceFile">Filled in by the compiler; the file bears the test class's name.</param>
    /// <param name="method">Filled in by the compiler.</param>
    public static Task Verify(
        string target,
        string extension = "txt",
        string? suffix = null,
        [CallerFilePath] string sourceFile = "",
        [CallerMemberName] string method = "")
    {
        var name = $"{Path.GetFileNameWithoutExtension(sourceFile)}.{method}{(suffix is null ? "" : "_" + suffix)}";
        var stem = Path.Combine(Path.GetDirectoryName(sourceFile) ?? "", name);
        Compare(Normalise(target), $"{stem}.verified.{extension}", $"{stem}.received.{extension}");
        return Task.CompletedTask;
    }

    private static void Compare(string received, string verifiedFile, string receivedFile)
    {
        var verified = File.Exists(verifiedFile) ? Normalise(File.ReadAllText(verifiedFile)) : null;
        if (verified == received)
        {
            File.Delete(receivedFile);
        }
        else if (Environment.GetEnvironmentVariable("DSM_ACCEPT") == "1")
        {
            File.WriteAllText(verifiedFile, received);
            File.Delete(receivedFile);
        }
        else
        {
            File.WriteAllText(receivedFile, received);
            var difference = verified is null ? "There is no snapshot yet." : Diff(verified.Split('\n'), received.Split('\n'));
            Assert.Fail($"{Path.GetFileName(verifiedFile)} does not hold. {difference}\nReceived: {receivedFile}\nAccept with tests/accept.");
        }
    }

    private static string Normalise(string text) => text.Replace("\r\n", "\n").Replace('\r', '\n');

    private static string Diff(string[] verified, string[] received)
    {
        var start = 0;
        while (start < verified.Length && start < received.Length && verified[start] == received[start])
            start++;
        var tail = 0;
        while (tail < Math.Min(verified.Length, received.Length) - start && verified[^(tail + 1)] == received[^(tail + 1)])
            tail++;

        var text = new StringBuilder($"From line {start + 1}:");
        foreach (var line in verified[Math.Max(0, start - 2)..start])
            text.Append("\n  ").Append(line);
        Append(text, '-', verified[start..^tail]);
        Append(text, '+', received[start..^tail]);
        return text.ToString();
    }

    private static void Append(StringBuilder text, char sign, string[] lines)
    {
        foreach (var line in lines.Take(DiffLines))
            text.Append('\n').Append(sign).Append(' ').Append(line);
        if (lines.Length > DiffLines)
            text.Append('\n').Append(sign).Append($" … and {lines.Length - DiffLines} more lines");
    }
}
