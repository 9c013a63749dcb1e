using System.Text.RegularExpressions;

namespace ModelDsl.Conformance;

/// <summary>
/// What counts as one instruction form: guard, opcode with its modifiers, and those operands that make another instruction of it
/// (<c>mov</c> of a vector or a special register, the sizes of <c>cp.async</c>, the thread count of <c>bar</c>).
/// </summary>
public static partial class Forms
{
    /// <summary>The forms in a PTX text, each once, in order of appearance.</summary>
    public static IReadOnlyList<string> In(string ptx) =>
        [.. Comment().Replace(ptx, "").Split(';').Select(Of).OfType<string>().Distinct()];

    /// <summary>The form without its guard.</summary>
    public static string Unguarded(string form) => form.StartsWith('@') ? form[(form.IndexOf(' ') + 1)..] : form;

    /// <summary>The form of one statement; null for directives and labels alone.</summary>
    private static string? Of(string statement)
    {
        if (Statement().Match(statement) is not { Success: true } match) return null;
        var (guard, name, operands) = (match.Groups[1].Value, match.Groups[2].Value, Split(match.Groups[3].Value));
        return (guard.Length == 0 ? "" : guard[1] == '!' ? "@!p " : "@p ") + name + Detail(name, operands);
    }

    private static string Detail(string name, string[] operands) => name.Split('.')[0] switch
    {
        "mov" when operands[0].StartsWith('{') => " unpack",
        "mov" when operands[1].StartsWith('{') => " pack",
        "mov" when Special().IsMatch(operands[1]) => " " + operands[1],
        "mov" when char.IsLetter(operands[1][0]) => " symbol",
        "cp" when operands.Length >= 3 && !name.Contains("bulk") => $" {operands[2]}{(operands.Length > 3 ? ", size" : "")}",
        "bar" when name is "bar.sync" or "bar.arrive" => operands.Length > 1 ? " a, n" : " a",
        _ => "",
    };

    /// <summary>Operands, a vector or an address being one.</summary>
    private static string[] Split(string text) => [.. Operand().Matches(text).Select(match => match.Value.Trim()).Where(operand => operand.Length > 0)];

    [GeneratedRegex("//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\s*(?:[\w$]+:\s*)*(@!?%\w+\s+)?([a-z][\w.:]*)\s*(.*)$", RegexOptions.Singleline)]
    private static partial Regex Statement();

    [GeneratedRegex(@"\{[^}]*\}|[^,{}]+")]
    private static partial Regex Operand();

    [GeneratedRegex(@"^%(tid|ntid|ctaid|nctaid|laneid|warpid|nwarpid|lanemask_\w+|smid|nsmid|gridid|clock\w*|globaltimer\w*|cluster_\w+)\b")]
    private static partial Regex Special();
}
