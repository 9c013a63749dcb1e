using System.Globalization;
using System.Text;
using ModelDsl.Runtime.Files;

namespace ModelDsl.Cli.Input;

/// <summary><c>--ids 1,2,3</c> or <c>--ids @FILE</c>: numbers with commas, blanks or line ends between them; brackets are passed over.</summary>
internal static class TokenIds
{
    private const long LargestFile = 64 << 20;

    /// <exception cref="TroubleException">Something is no number, or the file cannot be read.</exception>
    public static int[] Parse(string text)
    {
        if (text.StartsWith('@'))
        {
            try
            {
                text = Encoding.UTF8.GetString(WholeFile.Read(text[1..], LargestFile));
            }
            catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw TroubleException.Failed($"--ids {text}: {trouble.Message}");
            }
        }

        var words = text.Split([',', ' ', '\t', '\r', '\n', '[', ']'], StringSplitOptions.RemoveEmptyEntries);
        return [.. words.Select(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw TroubleException.Usage($"--ids: '{(word.Length > 40 ? word[..40] + "…" : word)}' is no token id"))];
    }
}
