using System.Text;
using ModelDsl.Runtime.Tokenization.AddedTokens;

namespace ModelDsl.Runtime.Tokenization.Bpe;

/// <summary>From ids to pieces and to the bytes they decode to. Ids without a token are empty.</summary>
internal sealed class TokenTable
{
    private readonly string?[] _pieces;
    private readonly int[] _starts;
    private readonly byte[] _bytes;
    private readonly HashSet<int> _special;

    public TokenTable(Dictionary<string, int> vocabulary, IReadOnlyCollection<AddedToken> added)
    {
        var size = Math.Max(vocabulary.Values.DefaultIfEmpty(-1).Max(), added.Select(t => t.Id).DefaultIfEmpty(-1).Max()) + 1;
        _pieces = new string?[size];
        foreach (var (piece, id) in vocabulary)
            _pieces[id] = piece;
        var plain = new HashSet<int>();
        foreach (var token in added)
        {
            _pieces[token.Id] = token.Content;
            plain.Add(token.Id);
        }

        _special = [.. added.Where(t => t.Special).Select(t => t.Id)];
        _starts = new int[size + 1];
        _bytes = new byte[_pieces.Sum(p => 3L * (p?.Length ?? 0))];
        var end = 0;
        for (var id = 0; id < size; id++)
        {
            if (_pieces[id] is { } piece)
                end += !plain.Contains(id) && ByteAlphabet.TryGetBytes(piece, _bytes.AsSpan(end))
                    ? piece.Length
                    : Encoding.UTF8.GetBytes(piece, _bytes.AsSpan(end));
            _starts[id + 1] = end;
        }
    }

    /// <summary>One past the largest id.</summary>
    public int Size => _pieces.Length;

    public string? Piece(int id) => (uint)id < (uint)_pieces.Length ? _pieces[id] : null;

    public bool IsSpecial(int id) => _special.Contains(id);

    public ReadOnlySpan<byte> Bytes(int id) =>
        (uint)id < (uint)_pieces.Length ? _bytes.AsSpan(_starts[id].._starts[id + 1]) : default;
}
