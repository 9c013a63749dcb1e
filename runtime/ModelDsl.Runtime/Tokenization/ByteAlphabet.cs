namespace ModelDsl.Runtime.Tokenization;

/// <summary>
/// The 256 printable characters that stand for bytes in a byte-level vocabulary: bytes that print in Latin-1 stand for
/// themselves, the others take U+0100 and up in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Symbols = Build();
    private static readonly short[] Bytes = Invert(Symbols);

    public static char SymbolOf(byte value) => Symbols[value];

    /// <summary>The byte a character stands for, or -1.</summary>
    public static int ByteOf(char symbol) => symbol < Bytes.Length ? Bytes[symbol] : -1;

    /// <summary>The bytes a vocabulary entry stands for; an entry with any other character in it stands for its own UTF-8.</summary>
    public static bool TryGetBytes(string entry, Span<byte> bytes)
    {
        for (var i = 0; i < entry.Length; i++)
        {
            var value = ByteOf(entry[i]);
            if (value < 0)
                return false;
            bytes[i] = (byte)value;
        }

        return true;
    }

    private static char[] Build()
    {
        var symbols = new char[256];
        var next = 256;
        for (var i = 0; i < symbols.Length; i++)
            symbols[i] = (char)(i is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? i : next++);
        return symbols;
    }

    private static short[] Invert(char[] symbols)
    {
        var bytes = new short[symbols.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var i = 0; i < symbols.Length; i++)
            bytes[symbols[i]] = (short)i;
        return bytes;
    }
}
