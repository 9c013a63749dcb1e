using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Parsing;

/// <summary>PTX text that knows its lines, so that errors and fault reports can quote them.</summary>
internal sealed class PtxSource(string text)
{
    public string Text { get; } = text;

    /// <summary>One-based line and column of a character position.</summary>
    public (int Line, int Column) Locate(int position)
    {
        int line = 1, start = 0;
        for (int i = 0; i < position && i < Text.Length; i++)
        {
            if (Text[i] != '\n') continue;
            line++;
            start = i + 1;
        }
        return (line, position - start + 1);
    }

    /// <summary>The line around a position, trimmed.</summary>
    public string LineAt(int position)
    {
        if (Text.Length == 0) return "";
        position = Math.Min(position, Text.Length - 1);
        int start = position == 0 ? 0 : Text.LastIndexOf('\n', position - 1) + 1;
        int end = Text.IndexOf('\n', position);
        return Text[start..(end < 0 ? Text.Length : end)].Trim();
    }

    /// <summary>Places in the programs that the text was compiled from, as they come: <c>.loc</c>.</summary>
    public List<SourceMark> Marks { get; } = [];

    /// <summary>Files of those programs, by number: <c>.file</c>.</summary>
    public Dictionary<int, string> Files { get; } = [];

    /// <summary>The line around a position, and what it was compiled from.</summary>
    public CodePlace Place(int position) => new(Locate(position).Line, LineAt(position), Origin(position));

    private string? Origin(int position)
    {
        int index = Marks.BinarySearch(new SourceMark(position, 0, 0), Comparer<SourceMark>.Create((a, b) => a.Position.CompareTo(b.Position)));
        if (index < 0) index = ~index - 1;
        if (index < 0 || Marks[index].Line == 0) return null;
        return $"{Files.GetValueOrDefault(Marks[index].File, $"file {Marks[index].File}")}:{Marks[index].Line}";
    }

    public DeviceException Error(int position, string message)
    {
        var (line, column) = Locate(position);
        return new DeviceException($"ptx({line},{column}): {message}\n    {LineAt(position)}");
    }
}

/// <summary>From this position on the text was compiled from that line of that file; line 0 for the start of a function, about which nothing is known yet.</summary>
internal readonly record struct SourceMark(int Position, int File, int Line);
