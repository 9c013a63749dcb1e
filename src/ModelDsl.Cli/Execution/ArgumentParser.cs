using System.Globalization;
using System.Text.RegularExpressions;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Checkpoints;

namespace ModelDsl.Cli.Execution;

/// <summary>Reads <c>--arg</c>: <c>i32:5</c>, <c>buf:f32[64,64]:random(1)</c>, <c>bytes:0x0102</c>, <c>struct(i32:5,buf:f32[8]:zeros)</c>, <c>tensormap(@0,box=8x8)</c>.</summary>
internal sealed partial class ArgumentParser : IDisposable
{
    public const string Forms = "TYPE:VALUE, buf:TYPE[SHAPE]:CONTENT, buf:FILE.safetensors#NAME, bytes:0xHEX, struct(…) or tensormap(BUFFER,box=AxB,…)";
    private const string Contents = "zeros, ones, iota, fill(V), values(A,B,…), random(SEED), random(SEED,LOW,HIGH), uninit and FILE.safetensors#NAME";
    private const int MostNames = 12;
    private const int MostDimensions = 16;
    private const int MostStructBytes = 4096;
    private const long MostBytes = 1L << 46;
    private readonly Dictionary<string, Checkpoint> _files = [];

    /// <exception cref="TroubleException">The text is none of the forms there are.</exception>
    public ExecArgument Parse(string text) => Parse(text, text);

    public void Dispose()
    {
        foreach (var file in _files.Values) file.Dispose();
    }

    private ExecArgument Parse(string text, string whole)
    {
        if (text.StartsWith("struct(", StringComparison.Ordinal))
        {
            if (!text.EndsWith(')')) throw TroubleException.Usage($"--arg {whole}: struct( has no )");
            return new StructArgument(text, [.. SplitMembers(text["struct(".Length..^1]).Select(member => Parse(member.Trim(), whole))]);
        }
        if (text.StartsWith("tensormap(", StringComparison.Ordinal))
        {
            if (!text.EndsWith(')')) throw TroubleException.Usage($"--arg {whole}: tensormap( has no )");
            return TensorMapArgument.Parse(text, SplitMembers(text["tensormap(".Length..^1]), whole, member => Parse(member, whole));
        }
        var colon = text.IndexOf(':');
        if (colon < 0) throw TroubleException.Usage($"--arg {whole}: expected {Forms}");
        var (kind, rest) = (text[..colon], text[(colon + 1)..]);
        if (kind == "buf") return Buffer(rest, whole);
        if (kind == "bytes") return new ValueArgument(text, Bytes(rest, whole), 1);
        var value = ElementType.Value(ElementType.Parse(kind, whole), rest, whole);
        return new ValueArgument(text, value, value.Length);
    }

    /// <summary>The parts between commas that are in no brackets.</summary>
    private static List<string> SplitMembers(string text)
    {
        var parts = new List<string>();
        var (start, depth) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '(' or '[') depth++;
            else if (text[i] is ')' or ']') depth--;
            else if (text[i] == ',' && depth == 0)
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }
        parts.Add(text[start..]);
        return parts;
    }

    private static byte[] Bytes(string text, string whole)
    {
        var digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        if (digits.Length == 0 || digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
            throw TroubleException.Usage($"--arg {whole}: bytes: wants pairs of hexadecimal digits, the byte at the lowest address first");
        if (digits.Length / 2 > MostStructBytes) throw TroubleException.Usage($"--arg {whole[..40]}…: a kernel takes at most {MostStructBytes} bytes of parameters");
        return Convert.FromHexString(digits);
    }

    private BufferArgument Buffer(string text, string whole)
    {
        if (Declaration().Match(text) is not { Success: true } declared)
        {
            var found = Find(text, whole);
            return new BufferArgument(whole, found.Type, [.. found.Shape], new BufferContent.Stored(found));
        }
        var type = ElementType.Parse(declared.Groups[1].Value, whole);
        var shape = Shape(declared.Groups[2].Value, type, whole);
        var count = shape.Aggregate(1L, (product, size) => product * size);
        var content = declared.Groups[3].Success ? declared.Groups[3].Value.Trim() : "zeros";
        if (Filling().Match(content) is { Success: true } filling)
            return new BufferArgument(whole, type, shape, Content(filling.Groups[1].Value, Items(filling.Groups[2]), type, count, whole));
        var tensor = Find(content, whole);
        if (tensor.Type != type) throw TroubleException.Usage($"--arg {whole}: {tensor.Name} is {tensor}, not {ElementType.Name(type)}");
        if (tensor.Count != count) throw TroubleException.Usage($"--arg {whole}: {tensor.Name} is {tensor}, which has not {count} elements");
        return new BufferArgument(whole, type, shape, new BufferContent.Stored(tensor));
    }

    private static long[] Shape(string text, StorageType type, string whole)
    {
        if (text.Trim().Length == 0) return [];
        var parts = text.Split(',', 'x');
        if (parts.Length > MostDimensions) throw TroubleException.Usage($"--arg {whole}: at most {MostDimensions} dimensions are expected");
        var (shape, bytes) = (new long[parts.Length], (Int128)type.Bytes());
        for (var i = 0; i < parts.Length; i++)
        {
            if (!long.TryParse(parts[i].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out shape[i]))
                throw TroubleException.Usage($"--arg {whole}: '{parts[i]}' is not a size");
            bytes = bytes > MostBytes ? bytes : bytes * shape[i];
        }
        return bytes <= MostBytes ? shape : throw TroubleException.Usage($"--arg {whole}: a buffer has at most {MostBytes:N0} bytes");
    }

    private static string[] Items(Group list) => list.Success ? [.. list.Value.Split(',').Select(item => item.Trim())] : [];

    private static BufferContent Content(string name, string[] items, StorageType type, long count, string whole)
    {
        TroubleException Wrong(string wanted) => TroubleException.Usage($"--arg {whole}: {wanted}");
        switch (name, items.Length)
        {
            case ("zeros", 0): return new BufferContent.Fill(new byte[type.Bytes()]);
            case ("ones", 0): return new BufferContent.Fill(ElementType.Nearest(type, 1));
            case ("iota", 0): return new BufferContent.Iota();
            case ("uninit", 0): return new BufferContent.Uninitialised();
            case ("fill", 1): return new BufferContent.Fill(ElementType.Value(type, items[0], whole));
            case ("values", _):
                if (items.Length != count) throw Wrong($"{items.Length} values are given for {count} elements");
                return new BufferContent.Values([.. items.SelectMany(item => ElementType.Value(type, item, whole))]);
            case ("random", 0 or 1 or 3):
                ulong seed = 0;
                if (items.Length > 0 && !ulong.TryParse(items[0], NumberStyles.None, CultureInfo.InvariantCulture, out seed))
                    throw Wrong($"'{items[0]}' is no seed, a whole number from 0 up");
                if (items.Length < 3) return new BufferContent.Uniform(seed, null, null);
                if (!double.TryParse(items[1], CultureInfo.InvariantCulture, out var low) || !double.TryParse(items[2], CultureInfo.InvariantCulture, out var high)
                    || !double.IsFinite(low) || !double.IsFinite(high) || low > high)
                    throw Wrong($"'{items[1]}' to '{items[2]}' is no range");
                return new BufferContent.Uniform(seed, low, high);
            default:
                throw Wrong($"'{name}' with {items.Length} values is no content; there are {Contents}");
        }
    }

    private StoredTensor Find(string text, string whole)
    {
        var hash = text.LastIndexOf('#');
        if (hash <= 0 || hash == text.Length - 1)
            throw TroubleException.Usage($"--arg {whole}: expected buf:TYPE[SHAPE]:CONTENT or buf:FILE.safetensors#NAME; contents are {Contents}");
        var (path, name) = (text[..hash], text[(hash + 1)..]);
        if (!File.Exists(path)) throw TroubleException.Failed($"--arg {whole}: there is no file '{path}'");
        if (!_files.TryGetValue(path, out var file)) _files.Add(path, file = Checkpoint.Open(path));
        if (file.TryGet(name, out var tensor)) return tensor;
        var known = string.Join(", ", file.Tensors.Keys.Order(StringComparer.Ordinal).Take(MostNames));
        throw TroubleException.Failed($"--arg {whole}: '{path}' has no tensor '{name}'; it has {known}{(file.Tensors.Count > MostNames ? ", …" : "")}");
    }

    [GeneratedRegex(@"^\s*(\w+)\s*\[([^\]]*)\](?:\s*:(.*))?$", RegexOptions.Singleline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^([a-z]+)(?:\((.*)\))?$", RegexOptions.Singleline)]
    private static partial Regex Filling();
}
