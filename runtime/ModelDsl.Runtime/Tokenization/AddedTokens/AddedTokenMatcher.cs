using System.Buffers;
using ModelDsl.Runtime.Tokenization.Patterns;

namespace ModelDsl.Runtime.Tokenization.AddedTokens;

/// <summary>Finds added tokens in text, leftmost first and of those the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private static readonly CodePointSet Word = UnicodeSets.Word;

    private readonly Dictionary<(int Node, char Unit), int> _edges = [];
    private readonly List<AddedToken?> _ends = [null];
    private readonly SearchValues<char> _firstUnits;

    public AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        var first = new HashSet<char>();
        foreach (var token in tokens.Where(t => t.Content.Length > 0))
        {
            first.Add(token.Content[0]);
            var node = 0;
            foreach (var unit in token.Content)
            {
                if (!_edges.TryGetValue((node, unit), out var next))
                {
                    _edges.Add((node, unit), next = _ends.Count);
                    _ends.Add(null);
                }

                node = next;
            }

            _ends[node] = token;
        }

        _firstUnits = SearchValues.Create([.. first]);
    }

    /// <summary>Cuts the text into added tokens and the stretches between; a stretch has no token.</summary>
    public IEnumerable<(AddedToken? Token, int Start, int End)> Split(string text, bool specialAsText)
    {
        var plainFrom = 0;
        var at = 0;
        while (Find(text, at) is var (token, start))
        {
            var end = at = start + token.Content.Length;
            if ((specialAsText && token.Special) || (token.SingleWord && TouchesWord(text, start, end)))
                continue;
            while (token.StripLeft && start > plainFrom && char.IsWhiteSpace(text[start - 1]))
                start--;
            while (token.StripRight && end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            if (start > plainFrom)
                yield return (null, plainFrom, start);
            yield return (token, start, end);
            plainFrom = at = end;
        }

        if (plainFrom < text.Length)
            yield return (null, plainFrom, text.Length);
    }

    private (AddedToken Token, int Start)? Find(string text, int from)
    {
        while (true)
        {
            var offset = text.AsSpan(from).IndexOfAny(_firstUnits);
            if (offset < 0)
                return null;
            from += offset;
            AddedToken? longest = null;
            var node = 0;
            for (var i = from; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
                longest = _ends[node] ?? longest;
            if (longest is not null)
                return (longest, from);
            from++;
        }
    }

    private static bool TouchesWord(string text, int start, int end) =>
        (start > 0 && Word.Contains(Utf16.CodePointAt(text, start - Utf16.LengthBefore(text, start), out _)))
        || (end < text.Length && Word.Contains(Utf16.CodePointAt(text, end, out _)));
}
