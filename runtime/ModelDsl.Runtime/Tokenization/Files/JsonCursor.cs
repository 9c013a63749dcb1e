using System.Globalization;
using System.Text.Json;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>
/// Walks a JSON file of tokens without building a tree, and turns everything that can be wrong with it into a
/// <see cref="TokenizerException"/>. A copy is a bookmark: it reads on from where it was made.
/// </summary>
internal ref struct JsonCursor
{
    private Utf8JsonReader _reader;

    /// <summary>Starts before the first value of <paramref name="json"/>.</summary>
    public JsonCursor(string file, ReadOnlySpan<byte> json)
    {
        File = file;
        _reader = new Utf8JsonReader(json.StartsWith("\uFEFF"u8) ? json[3..] : json);
    }

    public string File { get; }

    /// <summary>The kind of the current value.</summary>
    public readonly JsonTokenType Kind => _reader.TokenType;

    public readonly bool IsNull => _reader.TokenType == JsonTokenType.Null;

    /// <summary>Moves to the next token.</summary>
    public void Advance()
    {
        try
        {
            if (!_reader.Read())
                throw Fail("the file ends in the middle");
        }
        catch (JsonException e)
        {
            throw Malformed(e);
        }
    }

    /// <summary>Inside an object: moves to the value of the next property; false at the end of the object.</summary>
    public bool NextProperty(out string name)
    {
        name = "";
        Advance();
        if (_reader.TokenType == JsonTokenType.EndObject)
            return false;
        name = Text();
        Advance();
        return true;
    }

    /// <summary>Inside an array: moves to the next item; false at the end of the array.</summary>
    public bool NextItem()
    {
        Advance();
        return _reader.TokenType != JsonTokenType.EndArray;
    }

    /// <summary>Passes over the current value with all it holds.</summary>
    public void Skip()
    {
        try
        {
            _reader.Skip();
        }
        catch (JsonException e)
        {
            throw Malformed(e);
        }
    }

    public readonly void Expect(JsonTokenType kind, string what)
    {
        if (_reader.TokenType != kind)
            throw Fail($"{what} must be {Describe(kind)}, and is {Describe(_reader.TokenType)}");
    }

    public string String(string what)
    {
        Expect(JsonTokenType.String, what);
        return Text();
    }

    public string? StringOrNull(string what) => IsNull ? null : String(what);

    /// <summary>Copies the current string into <paramref name="buffer"/>, which grows as needed.</summary>
    public ReadOnlySpan<char> Chars(scoped ref char[] buffer, string what)
    {
        Expect(JsonTokenType.String, what);
        if (buffer.Length < _reader.ValueSpan.Length)
            buffer = new char[_reader.ValueSpan.Length * 2];
        try
        {
            return buffer.AsSpan(0, _reader.CopyString(buffer));
        }
        catch (InvalidOperationException e)
        {
            throw Fail("a string is not valid Unicode text", e);
        }
    }

    public readonly bool Bool(string what) => _reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.Null => false,
        _ => throw Fail($"{what} must be true or false, and is {Describe(_reader.TokenType)}"),
    };

    /// <summary>A token id: a whole number from 0 up to <see cref="Limits.LargestId"/>.</summary>
    public readonly int Id(string what)
    {
        Expect(JsonTokenType.Number, what);
        return _reader.TryGetInt32(out var id) && id is >= 0 and <= Limits.LargestId
            ? id
            : throw Fail($"{what} must be a whole number from 0 to {Limits.LargestId}");
    }

    public readonly TokenizerException Fail(string cause, Exception? inner = null) =>
        new(File, string.Create(CultureInfo.InvariantCulture, $"byte {_reader.TokenStartIndex}"), cause, inner);

    private readonly TokenizerException Malformed(JsonException e) => new(
        File,
        string.Create(CultureInfo.InvariantCulture, $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}"),
        "not valid JSON, or the file is cut short",
        e);

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw Fail("a string is not valid Unicode text", e);
        }
    }

    private static string Describe(JsonTokenType kind) => kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        JsonTokenType.Null => "null",
        _ => "nothing",
    };
}
