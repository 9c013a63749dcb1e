using System.Globalization;

namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>The sets that <c>\p{…}</c>, <c>\s</c>, <c>\d</c> and <c>\w</c> name, over all code points rather than UTF-16 units.</summary>
internal static class UnicodeSets
{
    private static readonly Lazy<CodePointSet[]> Categories = new(ScanCategories);

    // Names in the order of UnicodeCategory.
    private static readonly string[] CategoryNames =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc",
        "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    /// <summary>The Unicode White_Space property.</summary>
    public static CodePointSet Space { get; } = CodePointSet.FromRanges(
    [
        (0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
        (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
    ]);

    public static CodePointSet Digit => Categories.Value[(int)UnicodeCategory.DecimalDigitNumber];

    public static CodePointSet Word => Property("L")!.Union(Property("M")!).Union(Digit).Union(Property("Pc")!);

    /// <summary>A general category ("Lu", or a whole group, "L"), "Any", or a script we have a table for; null when unknown.</summary>
    public static CodePointSet? Property(string name) => name switch
    {
        "Any" => CodePointSet.All,
        "Letter" => Property("L"),
        "Han" => Han,
        "Hiragana" => CodePointSet.FromRanges([(0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1F200, 0x1F200)]),
        { Length: 1 } or { Length: 2 } => ByCategory(name),
        _ => null,
    };

    private static CodePointSet Han { get; } = CodePointSet.FromRanges(
    [
        (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029),
        (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3),
        (0x16FF0, 0x16FF1), (0x20000, 0x2A6DF), (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1),
        (0x2CEB0, 0x2EBE0), (0x2EBF0, 0x2EE5D), (0x2F800, 0x2FA1D), (0x30000, 0x3134A), (0x31350, 0x323AF),
    ]);

    private static CodePointSet? ByCategory(string name)
    {
        CodePointSet? set = null;
        for (var i = 0; i < CategoryNames.Length; i++)
            if (CategoryNames[i].StartsWith(name, StringComparison.Ordinal))
                set = set is null ? Categories.Value[i] : set.Union(Categories.Value[i]);
        return set;
    }

    private static CodePointSet[] ScanCategories()
    {
        var ranges = new List<(int, int)>[CategoryNames.Length];
        for (var i = 0; i < ranges.Length; i++)
            ranges[i] = [];
        var start = 0;
        var current = CharUnicodeInfo.GetUnicodeCategory(0);
        for (var codePoint = 1; codePoint <= CodePointSet.Limit; codePoint++)
        {
            var next = codePoint < CodePointSet.Limit ? CharUnicodeInfo.GetUnicodeCategory(codePoint) : (UnicodeCategory)(-1);
            if (next == current)
                continue;
            ranges[(int)current].Add((start, codePoint - 1));
            (start, current) = (codePoint, next);
        }

        return Array.ConvertAll(ranges, CodePointSet.FromRanges);
    }
}
