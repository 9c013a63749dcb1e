using System.Text;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Files;

namespace ModelDsl.Cli.Output;

/// <summary>Files appear whole or not at all: written beside their place, then moved there.</summary>
internal static class AtomicFile
{
    public static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <exception cref="TroubleException">The file cannot be written.</exception>
    public static void Write(string path, string text)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
            using var temporary = new TemporaryFile(path);
            File.WriteAllText(temporary.Path, text, Utf8);
            temporary.Keep();
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw TroubleException.Failed($"cannot write '{path}': {trouble.Message}");
        }
    }
}
