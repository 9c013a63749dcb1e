namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>
/// The code points of all sets of one expression, sorted into atoms: code points that no set tells apart. A set is then a
/// small table over atoms, and a lookup costs two loads whatever the character's plane.
/// </summary>
internal sealed class AtomTable
{
    private const int PageBits = 8;
    private const int PageSize = 1 << PageBits;
    private const int MaxAtoms = 256;

    private readonly ushort[] _pages = new ushort[CodePointSet.Limit >> PageBits];
    private readonly byte[] _atoms;

    /// <exception cref="PatternException">The sets cut the code points into more than 256 atoms.</exception>
    public AtomTable(IReadOnlyList<CodePointSet> sets)
    {
        var cuts = new SortedSet<int> { 0, CodePointSet.Limit };
        foreach (var set in sets)
            foreach (var bound in set.Bounds)
                cuts.Add(bound);

        var names = new Dictionary<string, byte>();
        var stretches = new List<(int End, byte Atom)>();
        var start = 0;
        foreach (var end in cuts.Skip(1))
        {
            var membership = string.Create(sets.Count, (sets, start), static (chars, s) =>
            {
                for (var i = 0; i < chars.Length; i++)
                    chars[i] = s.sets[i].Contains(s.start) ? '1' : '0';
            });
            if (!names.TryGetValue(membership, out var atom))
            {
                if (names.Count == MaxAtoms)
                    throw new PatternException("the expression tells too many kinds of characters apart");
                names.Add(membership, atom = (byte)names.Count);
            }

            stretches.Add((end, atom));
            start = end;
        }

        Members = new bool[sets.Count][];
        for (var i = 0; i < Members.Length; i++)
            Members[i] = new bool[MaxAtoms];
        foreach (var (membership, atom) in names)
            for (var i = 0; i < membership.Length; i++)
                Members[i][atom] = membership[i] == '1';
        _atoms = Fill(stretches, _pages);
    }

    /// <summary>For each set, by atom, whether it belongs to the set.</summary>
    public bool[][] Members { get; }

    public byte this[int codePoint] =>
        _atoms[(_pages[codePoint >> PageBits] << PageBits) + (codePoint & (PageSize - 1))];

    /// <summary>Most pages lie within one stretch and share one page per atom; the others are written out.</summary>
    private static byte[] Fill(List<(int End, byte Atom)> stretches, ushort[] pages)
    {
        var atoms = new List<byte>();
        var uniform = new Dictionary<byte, ushort>();
        var stretch = 0;
        for (var page = 0; page < pages.Length; page++)
        {
            var start = page << PageBits;
            while (stretches[stretch].End <= start)
                stretch++;
            var (end, atom) = stretches[stretch];
            var isUniform = end >= start + PageSize;
            if (isUniform && uniform.TryGetValue(atom, out pages[page]))
                continue;
            pages[page] = (ushort)(atoms.Count >> PageBits);
            if (isUniform)
                uniform.Add(atom, pages[page]);
            var at = stretch;
            for (var codePoint = start; codePoint < start + PageSize; codePoint++)
            {
                if (codePoint == stretches[at].End)
                    at++;
                atoms.Add(stretches[at].Atom);
            }
        }

        return [.. atoms];
    }
}
