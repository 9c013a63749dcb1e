namespace ModelDsl.Cli;

/// <summary>The streams a verb talks to, so that tests run the whole tool in process.</summary>
/// <param name="IsTerminal">Somebody watches: progress and colour are welcome.</param>
public sealed record IoContext(TextReader In, TextWriter Out, TextWriter Error, bool IsTerminal)
{
    /// <summary>The process's own streams, UTF-8 without a byte order mark whatever the locale.</summary>
    public static IoContext OfProcess()
    {
        var utf8 = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new IoContext(
            // A byte order mark is a character of the text like any other here, and no sign of another encoding.
            new StreamReader(Console.OpenStandardInput(), utf8, detectEncodingFromByteOrderMarks: false),
            new StreamWriter(Console.OpenStandardOutput(), utf8) { AutoFlush = true },
            new StreamWriter(Console.OpenStandardError(), utf8) { AutoFlush = true },
            !Console.IsOutputRedirected && !Console.IsErrorRedirected);
    }
}
