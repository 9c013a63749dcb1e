using System.Text;

namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>
/// Reads the part of the Oniguruma dialect that tokenizer files use: alternation, groups, quantifiers (greedy, lazy,
/// possessive), look-ahead, one-character look-behind, atomic groups, <c>(?i)</c>, anchors; classes by <see cref="ClassParser"/>.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxDepth = 64;
    private const int MaxCount = 1000;

    private static readonly CodePointSet NewLine = CodePointSet.Of('\n');
    private static readonly PatternNode TextStart = new PatternNode.Edge(AtEnd: false);
    private static readonly PatternNode TextEnd = new PatternNode.Edge(AtEnd: true);

    // "^" and "$" mean lines in this dialect, whatever the options.
    private static readonly PatternNode LineStart = new PatternNode.Choice([TextStart, new PatternNode.LookBehind(NewLine, Negated: false)]);
    private static readonly PatternNode LineEnd = new PatternNode.Choice(
        [TextEnd, new PatternNode.LookAhead(new PatternNode.One(NewLine), Negated: false)]);

    private static readonly PatternNode LastLineEnd = new PatternNode.LookAhead(
        new PatternNode.Sequence([new PatternNode.Repeat(new PatternNode.One(NewLine), 0, 1, Greed.Greedy), TextEnd]), Negated: false);

    private readonly PatternText _text;
    private bool _ignoreCase;
    private int _depth;

    private PatternParser(string text) => _text = new PatternText(text);

    /// <exception cref="PatternException">The expression is malformed or not supported.</exception>
    public static PatternNode Parse(string text)
    {
        var parser = new PatternParser(text);
        var node = parser.Alternatives();
        if (!parser._text.AtEnd)
            throw parser._text.Error("a closing parenthesis without an opening one");
        return node;
    }

    private PatternNode Alternatives()
    {
        if (++_depth > MaxDepth)
            throw _text.Error($"groups nested deeper than {MaxDepth}");
        var caseBefore = _ignoreCase;
        var options = new List<PatternNode> { Sequence() };
        while (_text.Take('|'))
            options.Add(Sequence());
        _ignoreCase = caseBefore;
        _depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Choice(options);
    }

    private PatternNode Sequence()
    {
        var items = new List<PatternNode>();
        while (!_text.AtEnd && _text.Peek is not ('|' or ')'))
            items.Add(Quantified());
        return items.Count == 1 ? items[0] : new PatternNode.Sequence(items);
    }

    private PatternNode Quantified()
    {
        var node = Atom();
        while (true)
        {
            var isCount = _text.Peek == '{';
            if (Quantifier() is not var (min, max))
                return node;
            // In this dialect a "+" or "?" after a fixed count repeats the counted group anew.
            var greed = isCount && min == max ? Greed.Greedy
                : _text.Take('?') ? Greed.Lazy
                : !isCount && _text.Take('+') ? Greed.Possessive
                : Greed.Greedy;
            if (max == int.MaxValue && node.CanBeEmpty)
                throw _text.Error("an endless repetition of something that can be empty");
            node = new PatternNode.Repeat(node, min, max, greed);
        }
    }

    private (int Min, int Max)? Quantifier()
    {
        if (_text.Take('?'))
            return (0, 1);
        if (_text.Take('*'))
            return (0, int.MaxValue);
        if (_text.Take('+'))
            return (1, int.MaxValue);
        var start = _text.Position;
        if (!_text.Take('{'))
            return null;
        var min = _text.Digits();
        var max = min;
        if (_text.Take(','))
            max = _text.Digits() ?? int.MaxValue;
        // "{" that opens no count is a letter like any other.
        if (!_text.Take('}') || min is null && max is null or int.MaxValue && min is null)
        {
            _text.Position = start;
            return null;
        }

        if (min > MaxCount || max is > MaxCount and < int.MaxValue || max < min)
            throw _text.Error($"a repetition count above {MaxCount} or out of order");
        return (min ?? 0, max!.Value);
    }

    private PatternNode Atom()
    {
        switch (_text.Next())
        {
            case '(':
                return Group();
            case '[':
                return One(ClassParser.Parse(_text));
            case '.':
                return new PatternNode.One(NewLine.Complement());
            case '^':
                return LineStart;
            case '$':
                return LineEnd;
            case '\\' when _text.Take('A'):
                return TextStart;
            case '\\' when _text.Take('z'):
                return TextEnd;
            case '\\' when _text.Take('Z'):
                return LastLineEnd;
            case '\\':
                return One(ClassParser.Escape(_text));
            case '*' or '+' or '?':
                throw _text.Error("a quantifier with nothing before it");
            case var literal:
                return One(CodePointSet.Of(literal));
        }
    }

    private PatternNode One(CodePointSet set) => new PatternNode.One(_ignoreCase ? FoldCase(set) : set);

    private PatternNode Group()
    {
        var node = _text switch
        {
            _ when !_text.Take('?') => Alternatives(),
            _ when _text.Take(':') => Alternatives(),
            _ when _text.Take('=') => new PatternNode.LookAhead(Alternatives(), Negated: false),
            _ when _text.Take('!') => new PatternNode.LookAhead(Alternatives(), Negated: true),
            _ when _text.Take('>') => new PatternNode.Atomic(Alternatives()),
            _ when _text.Take('<') => LookBehind(),
            _ => Options(),
        };
        if (!_text.Take(')'))
            throw _text.Error("a group is not closed");
        return node;
    }

    private PatternNode.LookBehind LookBehind()
    {
        var negated = _text.Take('!');
        if (!negated && !_text.Take('='))
            throw _text.Error("named groups are not supported");
        return Alternatives() is PatternNode.One one
            ? new PatternNode.LookBehind(one.Set, negated)
            : throw _text.Error("a look-behind may hold one character or class only");
    }

    /// <summary><c>(?i:…)</c> for its group, <c>(?i)</c> for the rest of the group it stands in.</summary>
    private PatternNode Options()
    {
        var before = _ignoreCase;
        var on = !_text.Take('-');
        if (!_text.Take('i'))
            throw _text.Error("a group of an unknown kind");
        _ignoreCase = on;
        if (_text.Take(':'))
        {
            var body = Alternatives();
            _ignoreCase = before;
            return body;
        }

        return new PatternNode.Sequence([]);
    }

    private static CodePointSet FoldCase(CodePointSet set)
    {
        var bounds = set.Bounds;
        var letters = 0;
        for (var i = 0; i < bounds.Length; i += 2)
            letters += bounds[i + 1] - bounds[i];
        // Property classes are closed under case often enough; only literals and short ranges need their other cases.
        if (letters > 1024)
            return set;
        var folded = new HashSet<Rune>();
        for (var i = 0; i < bounds.Length; i += 2)
            for (var c = bounds[i]; c < bounds[i + 1]; c++)
                if (Rune.IsValid(c))
                    folded.Add(Fold(new Rune(c)));
        return CodePointSet.FromRanges(CasedRunes.Value.Where(r => folded.Contains(Fold(r))).Select(r => (r.Value, r.Value))).Union(set);
    }

    private static readonly Lazy<Rune[]> CasedRunes = new(() =>
        [.. Enumerable.Range(0, 0x1F000).Where(Rune.IsValid).Select(c => new Rune(c)).Where(r => Fold(r) != r || Rune.ToUpperInvariant(r) != r)]);

    // .NET never maps beyond ASCII into it, but the long s and the Kelvin sign do fold to s and k.
    private static Rune Fold(Rune rune) => rune.Value switch
    {
        0x17F => new Rune('s'),
        0x212A => new Rune('k'),
        _ => Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune)),
    };
}
