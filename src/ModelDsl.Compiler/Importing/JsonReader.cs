using System.Globalization;
using System.Text;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Importing;

/// <summary>Reads JSON text. Stops at the first error, with its place; refuses nesting that no configuration has.</summary>
internal sealed class JsonReader
{
    private const int MaximumDepth = 64;

    private readonly SourceText _source;
    private readonly string _text;
    private int _at;
    private int _depth;

    private JsonReader(SourceText source) => (_source, _text) = (source, source.Text);

    public static JsonNode? Read(SourceText source, out Diagnostic? problem)
    {
        problem = source.Problem;
        if (problem is not null) return null;
        var reader = new JsonReader(source);
        try
        {
            var value = reader.Value();
            reader.Blanks();
            if (reader._at < reader._text.Length) throw reader.Error("there is more behind the value");
            return value;
        }
        catch (JsonProblem found)
        {
            problem = Catalogue.NotJson(new SourceSpan(source.Path, found.Position, found.Position < source.Text.Length ? 1 : 0),
                found.Message);
            return null;
        }
    }

    private JsonNode Value()
    {
        Blanks();
        if (_at >= _text.Length) throw Error("the text ends where a value should stand");
        var start = _at;
        switch (_text[_at])
        {
            case '{':
                return Nested(() => Object(start));
            case '[':
                return Nested(() => Array(start));
            case '"':
                var value = String();
                return new JsonString(Since(start), value);
            case 't' when Word("true"):
                return new JsonBoolean(Since(start), true);
            case 'f' when Word("false"):
                return new JsonBoolean(Since(start), false);
            case 'n' when Word("null"):
                return new JsonNull(Since(start));
            default:
                return Number(start);
        }
    }

    private JsonNode Nested(Func<JsonNode> read)
    {
        if (++_depth > MaximumDepth) throw Error($"more than {MaximumDepth} brackets are open at once");
        _at++;
        var node = read();
        _depth--;
        return node;
    }

    private JsonObject Object(int start)
    {
        var members = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        Blanks();
        if (Take('}')) return new JsonObject(Since(start), members);
        do
        {
            Blanks();
            if (_at >= _text.Length || _text[_at] != '"') throw Error("a key in quotes should stand here");
            var key = String();
            Blanks();
            if (!Take(':')) throw Error("':' should stand here");
            members[key] = Value();
            Blanks();
        }
        while (Take(','));
        if (!Take('}')) throw Error("',' or '}' should stand here");
        return new JsonObject(Since(start), members);
    }

    private JsonArray Array(int start)
    {
        var items = new List<JsonNode>();
        Blanks();
        if (Take(']')) return new JsonArray(Since(start), items);
        do
        {
            items.Add(Value());
            Blanks();
        }
        while (Take(','));
        if (!Take(']')) throw Error("',' or ']' should stand here");
        return new JsonArray(Since(start), items);
    }

    private string String()
    {
        var value = new StringBuilder();
        for (_at++; _at < _text.Length; _at++)
        {
            var c = _text[_at];
            if (c == '"')
            {
                _at++;
                return value.ToString();
            }
            if (c < ' ') break;
            value.Append(c == '\\' ? Escape() : c);
        }
        throw Error("the string is not closed");
    }

    private char Escape()
    {
        if (++_at >= _text.Length) throw Error("the string is not closed");
        switch (_text[_at])
        {
            case '"' or '\\' or '/':
                return _text[_at];
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u' when _at + 4 < _text.Length
                && ushort.TryParse(_text.Substring(_at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code):
                _at += 4;
                return (char)code;
            default:
                throw Error("there is no such escape");
        }
    }

    private JsonNumber Number(int start)
    {
        while (_at < _text.Length && (char.IsDigit(_text[_at]) || _text[_at] is '-' or '+' or '.' or 'e' or 'E')) _at++;
        var written = _text.Substring(start, _at - start);
        if (written.Length > 0 && double.TryParse(written, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && !double.IsInfinity(value) && !double.IsNaN(value))
            return new JsonNumber(Since(start), value, written);
        _at = start;
        throw Error("this is no JSON value");
    }

    private bool Word(string word)
    {
        if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0) return false;
        _at += word.Length;
        return true;
    }

    private bool Take(char c)
    {
        if (_at >= _text.Length || _text[_at] != c) return false;
        _at++;
        return true;
    }

    private void Blanks()
    {
        while (_at < _text.Length && (_text[_at] is ' ' or '\t' or '\r' or '\n')) _at++;
    }

    private SourceSpan Since(int start) => new(_source.Path, start, _at - start);

    private JsonProblem Error(string message) => new(_at, message);

    /// <summary>Ends the reading; never leaves this class.</summary>
    private sealed class JsonProblem(int position, string message) : Exception(message)
    {
        public int Position { get; } = position;
    }
}
