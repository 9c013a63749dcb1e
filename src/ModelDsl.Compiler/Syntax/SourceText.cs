using System.Text;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Syntax;

/// <summary>The text of one file and the places of its lines.</summary>
public sealed class SourceText
{
    /// <summary>A .dsm file is a page or two; whatever is larger than this (1 MiB) was not meant for us.</summary>
    public const int MaximumBytes = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly int[] _lineStarts;

    private SourceText(string path, string text, Diagnostic? problem)
    {
        Path = path;
        Text = text;
        Problem = problem;
        _lineStarts = FindLines(text);
    }

    public string Path { get; }

    public string Text { get; }

    /// <summary>Why the bytes are no text; null for good text. The text is empty then.</summary>
    public Diagnostic? Problem { get; }

    /// <summary>A text that is already decoded.</summary>
    public static SourceText From(string path, string text)
    {
        if (text.Length > MaximumBytes) return TooLarge(path, text.Length);
        var nul = text.IndexOf('\0');
        return nul < 0 ? new SourceText(path, text, null) : Bad(path, Catalogue.NulCharacter(At(path), nul));
    }

    /// <summary>Decodes a file. Bytes that are no UTF-8 text give a <see cref="Problem"/>, never an exception.</summary>
    public static SourceText FromBytes(string path, byte[] bytes)
    {
        if (bytes.Length > MaximumBytes) return TooLarge(path, bytes.Length);
        var nul = Array.IndexOf(bytes, (byte)0);
        if (nul >= 0) return Bad(path, Catalogue.NulCharacter(At(path), nul));
        var start = bytes.Length >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0;
        try
        {
            return new SourceText(path, StrictUtf8.GetString(bytes, start, bytes.Length - start), null);
        }
        catch (DecoderFallbackException invalid)
        {
            return Bad(path, Catalogue.InvalidUtf8(At(path), start + Math.Max(0, invalid.Index)));
        }
    }

    /// <summary>A file that was not even read because of its length; saves the caller from loading 100 MB for a message.</summary>
    public static SourceText TooLarge(string path, long bytes) => Bad(path, Catalogue.FileTooLarge(At(path), bytes, MaximumBytes));

    /// <summary>Line and column of a character, both counted from 1; columns count UTF-16 characters.</summary>
    public (int Line, int Column) Locate(int position)
    {
        var index = Array.BinarySearch(_lineStarts, Clamp(position));
        if (index < 0) index = ~index - 1;
        return (index + 1, Clamp(position) - _lineStarts[index] + 1);
    }

    /// <summary>The text of a line, counted from 1, without its line end.</summary>
    public string Line(int line)
    {
        var start = _lineStarts[line - 1];
        var end = line < _lineStarts.Length ? _lineStarts[line] : Text.Length;
        return Text.Substring(start, end - start).TrimEnd('\r', '\n');
    }

    public string Slice(SourceSpan span) => Text.Substring(Clamp(span.Start), Clamp(span.End) - Clamp(span.Start));

    private int Clamp(int position) => Math.Max(0, Math.Min(position, Text.Length));

    private static SourceSpan At(string path) => new(path, 0, 0);

    private static SourceText Bad(string path, Diagnostic problem) => new(path, "", problem);

    private static int[] FindLines(string text)
    {
        var starts = new List<int> { 0 };
        for (var i = 0; i < text.Length; i++)
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
                starts.Add(i + 1);
        return starts.ToArray();
    }
}
