namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>How much work and text a rendering may take, so that no template can hang or exhaust memory.</summary>
internal sealed class Budget
{
    public const int LongestText = 1 << 26;

    /// <summary>All texts that a rendering makes come to 320 MB at most, even if none of them is kept, and what they are put together in to as much again.</summary>
    public const int CharactersPerStep = 8;

    private const int StepsPerItem = 4, StepsPerTable = 8;
    private const int MostItems = 1 << 18;

    private long _left = 20_000_000;

    /// <summary>Pays for one step and for copying <paramref name="length"/> characters or items.</summary>
    public void Spend(long length = 0)
    {
        if (length > LongestText)
            throw new JinjaError($"a text or list of {length} characters or items is too long");
        _left -= 1 + length / CharactersPerStep;
        if (_left < 0)
            throw new JinjaError("the template takes too long on these messages");
    }

    /// <summary>Pays for making this many values, each of which is an object of its own.</summary>
    public void Make(long items)
    {
        if (items > MostItems)
            throw new JinjaError($"a list of {items} items is too long");
        Spend(StepsPerItem * CharactersPerStep * items);
    }

    /// <summary>Pays for a table: a list that is written out, a map, what a call is given. It takes about as much memory as copying this many characters.</summary>
    public void MakeTable() => Spend(StepsPerTable * CharactersPerStep);

    public string Check(string text)
    {
        Spend(text.Length);
        return text;
    }
}
