using System.Text;
using ModelDsl.Cli.Input;

namespace ModelDsl.Cli.Output;

/// <summary>Files appear whole or not at all: written beside their place, then moved there.</summary>
internal static class AtomicFile
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <exception cref="TroubleException">The file cannot be written.</exception>
    public static void Write(string path, string text)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
            File.WriteAllText(temporary, text, Utf8);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            if (File.Exists(temporary)) File.Delete(temporary);
            throw TroubleException.Failed($"cannot write '{path}': {trouble.Message}");
        }
    }
}
