using System.Runtime.CompilerServices;
using EmptyFiles;
using VerifyTests;

namespace ModelDsl.Testing;

/// <summary>Snapshots by Verify.Xunit, under the names and with the call shape that the tests know.</summary>
public static class Verifier
{
    static Verifier()
    {
        // What is not known as text counts as binary.
        foreach (var extension in (string[])["ptx", "dsm"]) FileExtensions.AddTextExtension(extension);
    }

    /// <summary>Compares a text with its snapshot; <c>return Verify(text)</c> ends a test.</summary>
    /// <param name="target">The text; line ends do not matter.</param>
    /// <param name="extension">The snapshot's extension, without a dot.</param>
    /// <param name="suffix">Tells several snapshots of one method apart, such as the cases of a theory.</param>
    /// <param name="sourceFile">Filled in by the compiler; the file bears the test class's name.</param>
    /// <param name="method">Filled in by the compiler.</param>
    public static async Task Verify(
        string target,
        string extension = "txt",
        string? suffix = null,
        [CallerFilePath] string sourceFile = "",
        [CallerMemberName] string method = "")
    {
        var settings = new VerifySettings();
        settings.UseFileName($"{Path.GetFileNameWithoutExtension(sourceFile)}.{method}{(suffix is null ? "" : "_" + suffix)}");
        await VerifyXunit.Verifier.Verify(target, extension, settings, sourceFile);
    }
}
