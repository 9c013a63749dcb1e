namespace ModelDsl.Runtime.Tokenization.PreTokenizers;

/// <summary>A part of a text that is tokenized on its own. Holds the text too, because a step may put a space in front.</summary>
internal readonly record struct Piece(string Text, int Start, int Length)
{
    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);

    public Piece Slice(int start, int length) => new(Text, Start + start, length);
}
