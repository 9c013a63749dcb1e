using System.Collections.Concurrent;

namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>
/// A compiled regular expression that sees text as Unicode code points. .NET's own sees UTF-16 units, so a class such as
/// <c>[^\p{L}]</c> would match half of an emoji; tokenizers must not.
/// </summary>
internal sealed class Pattern
{
    private static readonly ConcurrentDictionary<string, Pattern> Known = new();

    private Pattern(Instruction[] code, AtomTable atoms, bool[]? first)
    {
        Code = code;
        Atoms = atoms;
        First = first;
    }

    public Instruction[] Code { get; }

    public AtomTable Atoms { get; }

    /// <summary>By atom, whether a match can begin with it; null when nothing can be ruled out.</summary>
    public bool[]? First { get; }

    /// <exception cref="PatternException">The expression is malformed or not supported.</exception>
    public static Pattern Parse(string expression)
    {
        if (Known.TryGetValue(expression, out var known))
            return known;
        var (code, sets) = PatternCompiler.Compile(PatternParser.Parse(expression));
        var atoms = new AtomTable(sets);
        var pattern = new Pattern(code, atoms, FirstAtoms(code, atoms));
        // Tables cost tens of kilobytes; a process that parses thousands of different expressions keeps only the first few.
        if (Known.Count < 64)
            Known.TryAdd(expression, pattern);
        return pattern;
    }

    /// <summary>All matches in turn, found in <paramref name="text"/> alone: what lies around it is not seen.</summary>
    public PatternScanner Scan(ReadOnlySpan<char> text) => new(this, text);

    private static bool[]? FirstAtoms(Instruction[] code, AtomTable atoms)
    {
        var first = new bool[256];
        var seen = new HashSet<int>();
        var open = new Stack<int>([0]);
        while (open.TryPop(out var at))
        {
            if (!seen.Add(at))
                continue;
            var step = code[at];
            switch (step.Op)
            {
                case Op.One or Op.Many or Op.ManyPossessive:
                    for (var i = 0; i < first.Length; i++)
                        first[i] |= atoms.Members[step.A][i];
                    if (step.Op != Op.One && step.Min == 0)
                        open.Push(at + 1);
                    break;
                case Op.Fork:
                    open.Push(step.A);
                    open.Push(step.B);
                    break;
                case Op.Jump:
                    open.Push(step.A);
                    break;
                default:
                    return null;
            }
        }

        return first;
    }
}
