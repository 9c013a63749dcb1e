using System.Buffers;

namespace ModelDsl.Runtime.Tokenization.Bpe;

/// <summary>
/// Merges the symbols of one piece: the pair of lowest rank first, of equal ones the leftmost. A queue of candidates over a
/// linked list of symbols keeps even a piece of a million symbols near linear.
/// </summary>
internal ref struct Merger
{
    private readonly MergeTable _merges;
    private readonly Span<int> _ids;
    private readonly Span<int> _next;
    private readonly Span<int> _previous;
    private readonly int[] _rented;
    private ulong[] _heap;
    private int _count;

    private Merger(MergeTable merges, ReadOnlySpan<int> symbols)
    {
        var n = symbols.Length;
        _merges = merges;
        _rented = ArrayPool<int>.Shared.Rent(3 * n);
        _ids = _rented.AsSpan(0, n);
        _next = _rented.AsSpan(n, n);
        _previous = _rented.AsSpan(2 * n, n);
        _heap = ArrayPool<ulong>.Shared.Rent(n);
        symbols.CopyTo(_ids);
        for (var i = 0; i < n; i++)
        {
            _previous[i] = i - 1;
            _next[i] = i + 1;
        }
    }

    /// <summary>Appends to <paramref name="output"/> the ids that <paramref name="symbols"/> merge into.</summary>
    public static void Merge(MergeTable merges, ReadOnlySpan<int> symbols, List<int> output)
    {
        var merger = new Merger(merges, symbols);
        try
        {
            merger.Run();
            for (var i = 0; i < symbols.Length; i = merger._next[i])
                output.Add(merger._ids[i]);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(merger._rented);
            ArrayPool<ulong>.Shared.Return(merger._heap);
        }
    }

    private void Run()
    {
        for (var i = 0; i + 1 < _ids.Length; i++)
            Offer(i);
        while (_count > 0)
        {
            var top = Pop();
            var at = (int)(uint)top;
            var right = _next[at];
            // Stale candidates stay queued; the rank tells whether the pair still stands here.
            if (_ids[at] < 0 || right >= _ids.Length || _merges.Rank(_ids[at], _ids[right], out var merged) != (int)(top >> 32))
                continue;
            _ids[at] = merged;
            _ids[right] = -1;
            _next[at] = _next[right];
            if (_next[right] < _ids.Length)
                _previous[_next[right]] = at;
            Offer(at);
            if (_previous[at] >= 0)
                Offer(_previous[at]);
        }
    }

    private void Offer(int at)
    {
        var right = _next[at];
        if (right >= _ids.Length)
            return;
        var rank = _merges.Rank(_ids[at], _ids[right], out _);
        if (rank != int.MaxValue)
            Push(((ulong)(uint)rank << 32) | (uint)at);
    }

    private void Push(ulong candidate)
    {
        if (_count == _heap.Length)
        {
            var larger = ArrayPool<ulong>.Shared.Rent(2 * _heap.Length);
            _heap.CopyTo(larger, 0);
            ArrayPool<ulong>.Shared.Return(_heap);
            _heap = larger;
        }

        var at = _count++;
        while (at > 0 && _heap[(at - 1) / 2] > candidate)
        {
            _heap[at] = _heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        _heap[at] = candidate;
    }

    private ulong Pop()
    {
        var top = _heap[0];
        var last = _heap[--_count];
        var at = 0;
        while (2 * at + 1 < _count)
        {
            var child = 2 * at + 1;
            if (child + 1 < _count && _heap[child + 1] < _heap[child])
                child++;
            if (_heap[child] >= last)
                break;
            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = last;
        return top;
    }
}
