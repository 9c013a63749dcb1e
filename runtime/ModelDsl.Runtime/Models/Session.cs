using ModelDsl.Runtime.Kv;

namespace ModelDsl.Runtime.Models;

/// <summary>One sequence: how many tokens the cache holds of it, and in which pages. Ends by <see cref="Dispose"/>.</summary>
public sealed class Session : IDisposable
{
    internal Session(PagePool pool) => Table = new PageTable(pool);

    /// <summary>Tokens in the cache.</summary>
    public int Length { get; internal set; }

    /// <summary>Tokens whose rows in the MTP module's cache are filled; the rest of the text was made without drafts.</summary>
    internal int DraftedLength { get; set; }

    internal PageTable Table { get; }

    /// <summary>Forgets all tokens from a position on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        DraftedLength = Math.Min(DraftedLength, length);
        Table.Truncate(length);
    }

    /// <summary>Gives the pages back.</summary>
    public void Dispose() => Truncate(0);
}
