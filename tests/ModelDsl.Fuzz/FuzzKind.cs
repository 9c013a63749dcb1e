using System.Text.RegularExpressions;

namespace ModelDsl.Fuzz;

/// <summary>A kind of input that comes from outside: what it looks like, how to spoil it, and what must hold whatever it is.</summary>
public abstract partial class FuzzKind : IDisposable
{
    /// <summary>On the command line, and the folder of its regression cases.</summary>
    public abstract string Name { get; }

    /// <summary>Good inputs to start from.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>Most bytes that a case may allocate on the managed heap.</summary>
    public virtual long MostAllocated(int length) => (64L << 20) + 4096L * length;

    /// <summary>A new input, made from one that is known, from scratch, or from two.</summary>
    public abstract byte[] Make(byte[] known, byte[] other, Random random);

    /// <summary>Gives an input to the product.</summary>
    /// <returns>What came of it, in words that two inputs share when they went the same way; new words make an input worth keeping.</returns>
    /// <exception cref="ViolationException">The contract is broken. Any exception that is not one for people breaks it too.</exception>
    public abstract string Check(byte[] input);

    public virtual void Dispose()
    {
    }

    public static IReadOnlyList<string> Names { get; } = ["dsm", "config", "safetensors", "tokenizer", "ptx"];

    public static FuzzKind Create(string name) => name switch
    {
        "dsm" => new Kinds.DsmKind(),
        "config" => new Kinds.ConfigKind(),
        "safetensors" => new Kinds.SafetensorsKind(),
        "tokenizer" => new Kinds.TokenizerKind(),
        "ptx" => new Kinds.PtxKind(),
        _ => throw new ArgumentException($"There is no kind '{name}'; there are {string.Join(", ", Names)}."),
    };

    /// <summary>A message without what varies: numbers, quoted names, paths, later lines.</summary>
    protected static string Gist(string message)
    {
        var gist = new System.Text.StringBuilder();
        var quote = '\0';
        foreach (var c in Addresses().Replace(message, "?"))
        {
            if (c == '\n') break;
            if (quote != '\0')
            {
                if (c == quote) quote = '\0';
                continue;
            }

            if (c is '\'' or '"') quote = c;
            else if (!char.IsAsciiDigit(c)) gist.Append(c);
            if (gist.Length == 160) break;
        }

        return gist.ToString();
    }

    [GeneratedRegex("0x[0-9a-f]+")]
    private static partial Regex Addresses();
}

/// <summary>The product did what the contract rules out.</summary>
public sealed class ViolationException(string message) : Exception(message);
