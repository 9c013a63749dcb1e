using System.Globalization;

namespace ModelDsl.Runtime.VirtualGpu.Parsing;

/// <summary><c>.file 1 "a.cu"</c> and <c>.loc 1 12 5</c>, which compilers leave with <c>-lineinfo</c>. What is not understood is passed over.</summary>
internal static class SourceMarks
{
    /// <summary>A function starts: marks of the one before do not reach into it.</summary>
    public static void Begin(PtxCursor cursor) => cursor.Source.Marks.Add(new SourceMark(cursor.Position, 0, 0));

    /// <summary>Reads the directive at the cursor and its line.</summary>
    public static void Read(PtxCursor cursor)
    {
        int start = cursor.Position;
        cursor.SkipLine();
        ReadOnlySpan<char> line = cursor.Source.Text.AsSpan(start, cursor.Position - start).Trim();
        if (line.StartsWith(".file"))
        {
            int quote = line.IndexOf('"'), end = line.LastIndexOf('"');
            if (end > quote && Number(line[5..quote]) is { } file) cursor.Source.Files[file] = Path.GetFileName(line[(quote + 1)..end].ToString());
            return;
        }
        ReadOnlySpan<char> rest = line[4..].Trim();
        int blank = rest.IndexOfAny(' ', '\t');
        if (blank < 0) return;
        ReadOnlySpan<char> behind = rest[blank..].Trim();
        int digits = behind.IndexOfAnyExceptInRange('0', '9');
        if (Number(rest[..blank]) is { } number && Number(digits < 0 ? behind : behind[..digits]) is { } at) cursor.Source.Marks.Add(new SourceMark(start, number, at));
    }

    private static int? Number(ReadOnlySpan<char> text) => int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
}
