using System.Globalization;
using System.Text;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>Writes JSON, indented by two spaces; what is opened on one line stays on it. The same calls give the same text.</summary>
internal sealed class JsonText
{
    private readonly StringBuilder _text = new();
    private readonly Stack<(char Close, bool Inline)> _open = new();
    private bool _first = true;

    public JsonText Object(string? name = null, bool inline = false) => Open('{', '}', name, inline);

    public JsonText Array(string? name = null, bool inline = false) => Open('[', ']', name, inline);

    public JsonText Close()
    {
        var (close, inline) = _open.Pop();
        if (!inline && !_first) NewLine();
        _text.Append(close);
        _first = false;
        return this;
    }

    public JsonText Value(string? name, string? value)
    {
        Start(name);
        if (value is null) _text.Append("null");
        else Quote(value);
        return this;
    }

    public JsonText Value(string? name, long value)
    {
        Start(name);
        _text.Append(value.ToString(CultureInfo.InvariantCulture));
        return this;
    }

    /// <summary>A float32 in the digits that give it back.</summary>
    public JsonText Value(string? name, float value)
    {
        Start(name);
        _text.Append(value.ToString("R", CultureInfo.InvariantCulture));
        return this;
    }

    public override string ToString() => _text.ToString() + "\n";

    private JsonText Open(char open, char close, string? name, bool inline)
    {
        Start(name);
        _text.Append(open);
        _open.Push((close, inline || (_open.Count > 0 && _open.Peek().Inline)));
        _first = true;
        return this;
    }

    private void Start(string? name)
    {
        if (_open.Count > 0)
        {
            if (!_first) _text.Append(_open.Peek().Inline ? ", " : ",");
            if (!_open.Peek().Inline) NewLine();
        }

        _first = false;
        if (name is null) return;
        Quote(name);
        _text.Append(": ");
    }

    private void NewLine() => _text.Append('\n').Append(' ', 2 * _open.Count);

    private void Quote(string value)
    {
        _text.Append('"');
        foreach (var character in value)
        {
            if (character is '"' or '\\') _text.Append('\\').Append(character);
            else if (character < ' ') _text.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture));
            else _text.Append(character);
        }

        _text.Append('"');
    }
}
