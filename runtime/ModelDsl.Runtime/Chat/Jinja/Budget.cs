namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>How much work and text a rendering may take, so that no template can hang or exhaust memory.</summary>
internal sealed class Budget
{
    private const int LongestText = 1 << 26;

    private long _left = 20_000_000;

    /// <summary>Pays for one step and for copying <paramref name="length"/> characters or items.</summary>
    public void Spend(long length = 0)
    {
        if (length > LongestText)
            throw new JinjaError($"a text or list of {length} characters or items is too long");
        _left -= 1 + length / 64;
        if (_left < 0)
            throw new JinjaError("the template takes too long on these messages");
    }

    public string Check(string text)
    {
        Spend(text.Length);
        return text;
    }
}
