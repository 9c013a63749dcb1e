namespace ModelDsl.Fuzz.Inputs;

/// <summary>Writes regular expressions as tokenizers have them, those that backtrack without end among them.</summary>
internal static class RegexGrammar
{
    private static readonly string[] Atoms =
    [
        "a", "b", ".", " ", @"\s", @"\S", @"\d", @"\w", @"\p{L}", @"\p{N}", @"\p{Han}", @"\p{^Lu}", @"\P{M}", "[a-z]", "[^ab]", @"[^\r\n\p{L}\p{N}]", @"[\s&&[^\n]]", @"\x{1F600}", @"\u0041",
        "^", "$", @"\A", @"\z", "(?=a)", "(?!a)", "(?<=a)", "(?<!b)", "é", "😀", "[一-龥]", "(?i)", @"\b", @"\1", "[", "(", ")", "*", "{", "|", @"\", "(?<x>a)", "[z-a]", @"\p{Nope}",
    ];

    private static readonly string[] Quantifiers = ["*", "+", "?", "*?", "+?", "++", "*+", "{2}", "{1,3}", "{0,1000}", "{1000}", "{2,}", "{,3}", "{99999}", ""];

    public static string Expression(Random random, int depth = 3)
    {
        if (depth == 0) return Atoms[random.Next(Atoms.Length)];
        return random.Next(5) switch
        {
            0 => $"({Expression(random, depth - 1)}){Quantifiers[random.Next(Quantifiers.Length)]}",
            1 => $"(?:{Expression(random, depth - 1)}|{Expression(random, depth - 1)}){Quantifiers[random.Next(Quantifiers.Length)]}",
            2 => $"(?{"=!>i:"[random.Next(3)]}{Expression(random, depth - 1)})",
            3 => $"{Expression(random, depth - 1)}|{Expression(random, depth - 1)}",
            _ => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Expression(random, depth - 1) + (random.Next(2) == 0 ? Quantifiers[random.Next(Quantifiers.Length)] : ""))),
        };
    }
}
