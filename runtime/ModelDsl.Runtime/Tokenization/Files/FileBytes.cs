using ModelDsl.Runtime.Files;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads whole files, with errors a person can act on.</summary>
internal static class FileBytes
{
    public static byte[] Read(string path)
    {
        try
        {
            return WholeFile.Read(path, Limits.LargestFile);
        }
        catch (FileTooLargeException e)
        {
            throw new TokenizerException(path, "", $"the file has {e.Bytes} bytes; a tokenizer file has at most {Limits.LargestFile}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new TokenizerException(path, "", e is FileNotFoundException or DirectoryNotFoundException
                ? "the file does not exist"
                : $"the file cannot be read: {e.Message}", e);
        }
    }

    public static byte[]? ReadIfThere(string path) => File.Exists(path) ? Read(path) : null;
}
