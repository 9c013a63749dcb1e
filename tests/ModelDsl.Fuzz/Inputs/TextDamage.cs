using System.Text;

namespace ModelDsl.Fuzz.Inputs;

/// <summary>Spoils text token by token: words and signs go, come twice, change places, become others.</summary>
internal sealed class TextDamage(IReadOnlyList<string> dictionary)
{
    private static readonly string[] Numbers =
    [
        "0", "1", "-1", "2", "3", "7", "31", "127", "128", "255", "65535", "65536", "2147483647", "2147483648", "4294967295", "4294967296",
        "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "1152921504606846976", "1e9", "1e-9", "1e308", "1e999",
        "0.5", "1.5", "00", "1e", "NaN", "Infinity", "0x7fffffff",
    ];

    private static readonly string[] Oddities = ["\0", "\uFEFF", "\uFFFF", "\u2028", "😀", "é", "\u0301", "\r", "\r\n", "\t", "\u00A0", "\u0130", "\x1B[31m", "\\u0000", "\\ud800"];

    public byte[] Spoil(byte[] input, byte[] other, Random random)
    {
        var tokens = Cut(Encoding.UTF8.GetString(input));
        for (var edits = 1 + random.Next(random.Next(4) == 0 ? 12 : 4); edits > 0; edits--) Edit(tokens, other, random);
        var bytes = Encoding.UTF8.GetBytes(string.Concat(tokens));
        return random.Next(16) == 0 ? SpoilBytes(bytes, random) : bytes;
    }

    public static byte[] SpoilBytes(byte[] bytes, Random random)
    {
        bytes = [.. bytes];
        for (var edits = random.Next(1, 5); edits > 0 && bytes.Length > 0; edits--)
            switch (random.Next(4))
            {
                case 0: bytes[random.Next(bytes.Length)] = (byte)random.Next(256); break;
                case 1: bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes = bytes[..random.Next(bytes.Length + 1)]; break;
                default:
                    var at = random.Next(bytes.Length);
                    bytes = [.. bytes.AsSpan(0, at), (byte)random.Next(256), .. bytes.AsSpan(at)];
                    break;
            }
        return bytes;
    }

    /// <summary>Runs of letters and digits, runs of blanks, single signs.</summary>
    public static List<string> Cut(string text)
    {
        var tokens = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var start = at++;
            var kind = KindOf(text[start]);
            if (kind != 0)
                while (at < text.Length && KindOf(text[at]) == kind) at++;
            tokens.Add(text[start..at]);
        }

        return tokens;
    }

    private void Edit(List<string> tokens, byte[] other, Random random)
    {
        if (tokens.Count == 0) tokens.Add(Word(random));
        var at = random.Next(tokens.Count);
        var length = Math.Min(1 + random.Next(random.Next(3) == 0 ? 30 : 4), tokens.Count - at);
        switch (random.Next(10))
        {
            case 0:
                tokens.RemoveRange(at, length);
                break;
            case 1:
                tokens.InsertRange(random.Next(tokens.Count + 1), tokens.GetRange(at, length));
                break;
            case 2:
                var second = random.Next(tokens.Count);
                (tokens[at], tokens[second]) = (tokens[second], tokens[at]);
                break;
            case 3 or 4:
                tokens[at] = Word(random);
                break;
            case 5:
                tokens.Insert(at, Word(random));
                break;
            case 6:
                Number(tokens, random);
                break;
            case 7:
                var donor = Cut(Encoding.UTF8.GetString(other));
                if (donor.Count == 0) break;
                var from = random.Next(donor.Count);
                tokens.InsertRange(at, donor.GetRange(from, Math.Min(1 + random.Next(40), donor.Count - from)));
                break;
            case 8 when random.Next(4) == 0:
                tokens.InsertRange(at, Enumerable.Repeat(random.Next(2) == 0 ? tokens[at] : Word(random), 1 << random.Next(1, 11)));
                break;
            case 9 when random.Next(8) == 0:
                tokens.RemoveRange(at, tokens.Count - at);
                break;
            default:
                tokens.Insert(at, random.Next(3) == 0 ? Oddities[random.Next(Oddities.Length)] : Word(random));
                break;
        }
    }

    private static void Number(List<string> tokens, Random random)
    {
        var numbers = Enumerable.Range(0, tokens.Count).Where(i => char.IsAsciiDigit(tokens[i][0])).ToArray();
        if (numbers.Length > 0) tokens[numbers[random.Next(numbers.Length)]] = Numbers[random.Next(Numbers.Length)];
    }

    private string Word(Random random) => random.Next(5) == 0 ? Numbers[random.Next(Numbers.Length)] : dictionary[random.Next(dictionary.Count)];

    private static int KindOf(char c) => char.IsLetterOrDigit(c) || c == '_' ? 1 : c is ' ' or '\n' or '\t' ? 2 : 0;
}
