using System.Runtime.InteropServices;
using ModelDsl.Runtime.Models;

namespace ModelDsl.Runtime.Kv;

/// <summary>
/// The pages of one sequence, in order: token i lies in row <c>pages[i / size] * size + i % size</c> of every layer's cache.
/// </summary>
public sealed class PageTable(PagePool pool)
{
    private readonly List<int> _pages = [];

    /// <summary>Page numbers, first to last.</summary>
    public ReadOnlySpan<int> Pages => CollectionsMarshal.AsSpan(_pages);

    /// <summary>Makes room for a length in tokens; takes nothing if there is not room for all of it.</summary>
    /// <exception cref="ModelException">The cache is full.</exception>
    public void Reserve(int tokens)
    {
        var wanted = PagesFor(tokens) - _pages.Count;
        if (wanted > pool.FreePages)
            throw new ModelException(
                $"The cache is full: {wanted} more pages of {pool.TokensPerPage} tokens are needed, "
                + $"{pool.FreePages} of {pool.Pages} are free. End a session, or load the model with a larger cache.");
        for (; wanted > 0 && pool.TryRent(out var page); wanted--) _pages.Add(page);
    }

    /// <summary>Gives back the pages that a shorter length does not need.</summary>
    public void Truncate(int tokens)
    {
        for (var keep = PagesFor(tokens); _pages.Count > keep;)
        {
            pool.Return(_pages[^1]);
            _pages.RemoveAt(_pages.Count - 1);
        }
    }

    /// <summary>Row of the cache that token <paramref name="position"/> lies in.</summary>
    public int Slot(int position) => _pages[position / pool.TokensPerPage] * pool.TokensPerPage + position % pool.TokensPerPage;

    private int PagesFor(int tokens) => (tokens + pool.TokensPerPage - 1) / pool.TokensPerPage;
}
