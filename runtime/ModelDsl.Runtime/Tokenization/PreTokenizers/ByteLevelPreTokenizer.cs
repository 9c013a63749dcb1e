using ModelDsl.Runtime.Tokenization.Patterns;

namespace ModelDsl.Runtime.Tokenization.PreTokenizers;

/// <summary>
/// The step that marks a tokenizer as byte-level. The bytes themselves are taken by the model; what is left to do here is the
/// space in front and, on request, GPT-2's expression.
/// </summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : PreTokenizer
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private readonly SplitPreTokenizer? _split =
        useRegex ? new SplitPreTokenizer(Pattern.Parse(Gpt2), SplitBehavior.Isolated, invert: false) : null;

    public override void Split(Piece piece, List<Piece> output)
    {
        if (addPrefixSpace && piece.Span is not [' ', ..])
            piece = new Piece(string.Concat(" ", piece.Span), 0, piece.Length + 1);
        if (_split is null)
            output.Add(piece);
        else
            _split.Split(piece, output);
    }
}
