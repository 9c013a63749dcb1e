namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>A set of Unicode code points: sorted, disjoint, non-adjacent half-open ranges, stored as start, end, start, end, …</summary>
internal sealed class CodePointSet
{
    /// <summary>One past the last code point, U+10FFFF.</summary>
    public const int Limit = 0x110000;

    private readonly int[] _bounds;

    private CodePointSet(int[] bounds) => _bounds = bounds;

    public static CodePointSet Empty { get; } = new([]);

    public static CodePointSet All { get; } = new([0, Limit]);

    /// <summary>Where membership flips: even entries open a range, odd entries close it.</summary>
    public ReadOnlySpan<int> Bounds => _bounds;

    public static CodePointSet Of(int codePoint) => new([codePoint, codePoint + 1]);

    /// <summary>Both ends belong to the set.</summary>
    public static CodePointSet Range(int first, int last) => new([first, last + 1]);

    /// <summary>Ranges (first, last) in any order, overlapping or not.</summary>
    public static CodePointSet FromRanges(IEnumerable<(int First, int Last)> ranges)
    {
        var bounds = new List<int>();
        foreach (var (first, last) in ranges.OrderBy(r => r.First))
        {
            if (bounds.Count > 0 && first <= bounds[^1])
                bounds[^1] = Math.Max(bounds[^1], last + 1);
            else
                bounds.AddRange([first, last + 1]);
        }

        return new CodePointSet([.. bounds]);
    }

    public bool Contains(int codePoint)
    {
        var at = Array.BinarySearch(_bounds, codePoint);
        // A hit on an even entry opens a range; a miss inside a range lands before an odd entry.
        return at >= 0 ? (at & 1) == 0 : (~at & 1) == 1;
    }

    public CodePointSet Complement() =>
        _bounds is [0, ..]
            ? new CodePointSet(_bounds[^1] == Limit ? _bounds[1..^1] : [.. _bounds[1..], Limit])
            : new CodePointSet(_bounds is [.., Limit] ? [0, .. _bounds[..^1]] : [0, .. _bounds, Limit]);

    public CodePointSet Union(CodePointSet other) => Combine(other, (a, b) => a || b);

    public CodePointSet Intersect(CodePointSet other) => Combine(other, (a, b) => a && b);

    private CodePointSet Combine(CodePointSet other, Func<bool, bool, bool> keep)
    {
        var result = new List<int>();
        int i = 0, j = 0;
        var inside = false;
        while (i < _bounds.Length || j < other._bounds.Length)
        {
            var left = i < _bounds.Length ? _bounds[i] : Limit + 1;
            var right = j < other._bounds.Length ? other._bounds[j] : Limit + 1;
            var at = Math.Min(left, right);
            if (left == at)
                i++;
            if (right == at)
                j++;
            if (keep((i & 1) == 1, (j & 1) == 1) == inside)
                continue;
            inside = !inside;
            result.Add(at);
        }

        return new CodePointSet([.. result]);
    }
}
