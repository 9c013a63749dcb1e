namespace ModelDsl.Runtime.Kv;

/// <summary>Hands out the pages of the latent cache. A page is the same in all layers; the page given back last is reused first.</summary>
public sealed class PagePool
{
    private readonly Stack<int> _free;

    /// <param name="pages">How many pages there are.</param>
    /// <param name="tokensPerPage">Tokens in one page.</param>
    public PagePool(int pages, int tokensPerPage)
    {
        (Pages, TokensPerPage) = (pages, tokensPerPage);
        _free = new Stack<int>(pages);
        for (var page = pages - 1; page >= 0; page--) _free.Push(page);
    }

    public int Pages { get; }

    public int TokensPerPage { get; }

    public int FreePages => _free.Count;

    internal bool TryRent(out int page) => _free.TryPop(out page);

    internal void Return(int page) => _free.Push(page);
}
