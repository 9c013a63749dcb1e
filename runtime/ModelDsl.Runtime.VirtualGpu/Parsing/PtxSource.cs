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

    public DeviceException Error(int position, string message)
    {
        var (line, column) = Locate(position);
        return new DeviceException($"ptx({line},{column}): {message}\n    {LineAt(position)}");
    }
}
