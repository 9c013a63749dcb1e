using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using ModelDsl.Runtime.Tokenization.PreTokenizers;

namespace ModelDsl.Runtime.Tokenization.Bpe;

/// <summary>Byte-level byte pair encoding of pieces. Safe to use from several threads.</summary>
internal sealed class BpeModel
{
    private const int LongestCached = 48;
    private const int MostCached = 1 << 17;

    private readonly MergeTable _merges;
    private readonly int[] _idsOfBytes;
    private readonly int? _unknown;
    private readonly Dictionary<string, int>? _whole;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cached;
    private int _cacheCount;

    /// <param name="vocabulary">Entries, in the byte alphabet, to ids.</param>
    /// <param name="merges">In order of rank.</param>
    /// <param name="unknown">The id for a byte that has no entry; without it such a byte is an error.</param>
    /// <param name="ignoreMerges">A piece that is an entry as a whole becomes it, whatever merging would make.</param>
    public BpeModel(Dictionary<string, int> vocabulary, IReadOnlyCollection<(int, int, int)> merges, int? unknown, bool ignoreMerges)
    {
        _merges = new MergeTable(merges);
        _unknown = unknown;
        _whole = ignoreMerges ? vocabulary : null;
        _idsOfBytes = new int[256];
        for (var b = 0; b < 256; b++)
            _idsOfBytes[b] = vocabulary.GetValueOrDefault(ByteAlphabet.SymbolOf((byte)b).ToString(), -1);
        _cached = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <exception cref="MissingByteException">The vocabulary has no entry for a byte of the text.</exception>
    public void Encode(Piece piece, List<int> output)
    {
        if (piece.Length <= LongestCached && _cached.TryGetValue(piece.Span, out var ids))
        {
            output.AddRange(ids);
            return;
        }

        var start = output.Count;
        EncodeAfresh(piece.Span, output);
        if (piece.Length > LongestCached || Volatile.Read(ref _cacheCount) >= MostCached)
            return;
        if (_cached.TryAdd(piece.Span, [.. output[start..]]))
            Interlocked.Increment(ref _cacheCount);
    }

    private void EncodeAfresh(ReadOnlySpan<char> piece, List<int> output)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        var symbols = ArrayPool<int>.Shared.Rent(bytes.Length);
        try
        {
            var count = Encoding.UTF8.GetBytes(piece, bytes);
            if (_whole is not null && _whole.TryGetValue(InByteAlphabet(bytes.AsSpan(0, count)), out var whole))
            {
                output.Add(whole);
                return;
            }

            for (var i = 0; i < count; i++)
            {
                var id = _idsOfBytes[bytes[i]];
                symbols[i] = id >= 0 ? id : _unknown ?? throw new MissingByteException(bytes[i]);
            }

            Merger.Merge(_merges, symbols.AsSpan(0, count), output);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<int>.Shared.Return(symbols);
        }
    }

    private static string InByteAlphabet(ReadOnlySpan<byte> bytes) =>
        string.Create(bytes.Length, bytes, static (chars, bytes) =>
        {
            for (var i = 0; i < chars.Length; i++)
                chars[i] = ByteAlphabet.SymbolOf(bytes[i]);
        });
}
