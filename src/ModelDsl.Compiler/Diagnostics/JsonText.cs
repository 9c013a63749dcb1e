using System.Globalization;
using System.Text;

namespace ModelDsl.Compiler.Diagnostics;

/// <summary>Writes JSON, indented by two blanks. The compiler runs inside other tools and so brings no JSON library.</summary>
public sealed class JsonText
{
    private readonly StringBuilder _text = new();
    private int _depth;
    private int _inline;
    private bool _first = true;

    /// <param name="inline">It stays on one line, with all that is in it.</param>
    public JsonText Object(string? name, Action<JsonText> members, bool inline = false) => Nested(name, '{', '}', members, inline);

    /// <inheritdoc cref="Object"/>
    public JsonText Array(string? name, Action<JsonText> items, bool inline = false) => Nested(name, '[', ']', items, inline);

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

    public JsonText Value(string? name, double value)
    {
        Start(name);
        _text.Append(double.IsNaN(value) || double.IsInfinity(value) ? "null" : value.ToString("R", CultureInfo.InvariantCulture));
        return this;
    }

    /// <summary>A float32 in the digits that give it back.</summary>
    public JsonText Value(string? name, float value)
    {
        Start(name);
        _text.Append(float.IsNaN(value) || float.IsInfinity(value) ? "null" : value.ToString("R", CultureInfo.InvariantCulture));
        return this;
    }

    public JsonText Value(string? name, bool value)
    {
        Start(name);
        _text.Append(value ? "true" : "false");
        return this;
    }

    public override string ToString() => _text + "\n";

    private JsonText Nested(string? name, char open, char close, Action<JsonText> content, bool inline)
    {
        Start(name);
        _text.Append(open);
        if (inline) _inline++;
        (_depth, _first) = (_depth + 1, true);
        content(this);
        _depth--;
        if (!_first && _inline == 0) NewLine();
        if (inline) _inline--;
        _text.Append(close);
        _first = false;
        return this;
    }

    private void Start(string? name)
    {
        if (!_first) _text.Append(_inline > 0 ? ", " : ",");
        if (_depth > 0 && _inline == 0) NewLine();
        _first = false;
        if (name is null) return;
        Quote(name);
        _text.Append(": ");
    }

    private void NewLine() => _text.Append('\n').Append(' ', 2 * _depth);

    private void Quote(string value)
    {
        _text.Append('"');
        foreach (var c in value)
            switch (c)
            {
                case '"' or '\\':
                    _text.Append('\\').Append(c);
                    break;
                case '\n':
                    _text.Append("\\n");
                    break;
                case '\t':
                    _text.Append("\\t");
                    break;
                case < ' ' or '\u007F':
                case >= '\uD800' and <= '\uDFFF':
                    _text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                    break;
                default:
                    _text.Append(c);
                    break;
            }
        _text.Append('"');
    }
}
