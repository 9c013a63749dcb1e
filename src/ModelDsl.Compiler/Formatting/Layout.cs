using System.Text;

namespace ModelDsl.Compiler.Formatting;

/// <summary>Lines on their way out: indented, with what is to be aligned kept apart until all are known.</summary>
internal sealed class Layout
{
    private const int IndentWidth = 2;

    private readonly List<Line> _lines = new();

    /// <summary>A line whose <paramref name="key"/> lines up with its neighbours': <c>name</c> and <c>= value</c>.</summary>
    public void Aligned(int indent, string key, string rest) => _lines.Add(new Line(indent, key, rest));

    public void Plain(int indent, string text) => _lines.Add(new Line(indent, null, text));

    /// <summary>One empty line at most, and none at the top.</summary>
    public void Blank()
    {
        if (_lines.Count > 0 && !_lines[_lines.Count - 1].IsBlank) _lines.Add(new Line(0, null, ""));
    }

    /// <summary>Takes back an empty line: none stands before a closing brace.</summary>
    public void NoBlank()
    {
        if (_lines.Count > 0 && _lines[_lines.Count - 1].IsBlank) _lines.RemoveAt(_lines.Count - 1);
    }

    /// <summary>Puts a comment behind the last line.</summary>
    public void Trail(string comment)
    {
        var line = _lines[_lines.Count - 1];
        line.Comment = line.Comment is null ? comment : $"{line.Comment} {comment}";
    }

    /// <summary>A line comment takes the rest of its line; nothing may follow it there.</summary>
    public bool CanTrail =>
        _lines.Count > 0 && !_lines[_lines.Count - 1].IsBlank
        && _lines[_lines.Count - 1].Comment?.StartsWith("//", StringComparison.Ordinal) != true;

    public override string ToString()
    {
        Runs(line => line.Key is not null, run =>
        {
            var width = run.Max(l => l.Key!.Length);
            foreach (var line in run) (line.Text, line.Key) = (line.Key!.PadRight(width) + " " + line.Text, null);
        });
        Runs(line => line.Comment is not null, run =>
        {
            var width = run.Max(l => l.Indent * IndentWidth + l.Text.Length);
            foreach (var line in run) line.Text = line.Text.PadRight(width - line.Indent * IndentWidth) + "  " + line.Comment;
        });

        var text = new StringBuilder();
        foreach (var line in _lines) text.Append(line.IsBlank ? "" : new string(' ', line.Indent * IndentWidth) + line.Text).Append('\n');
        return text.ToString();
    }

    /// <summary>Neighbouring lines of one depth that share a property.</summary>
    private void Runs(Func<Line, bool> belongs, Action<List<Line>> align)
    {
        var run = new List<Line>();
        foreach (var line in _lines)
        {
            if (run.Count > 0 && (!belongs(line) || run[0].Indent != line.Indent))
            {
                align(run);
                run.Clear();
            }
            if (belongs(line)) run.Add(line);
        }
        if (run.Count > 0) align(run);
    }

    private sealed class Line(int indent, string? key, string text)
    {
        public int Indent { get; } = indent;

        public string? Key { get; set; } = key;

        public string Text { get; set; } = text;

        public string? Comment { get; set; }

        public bool IsBlank => Key is null && Text.Length == 0 && Comment is null;
    }
}
