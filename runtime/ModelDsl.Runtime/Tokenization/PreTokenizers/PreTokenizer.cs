namespace ModelDsl.Runtime.Tokenization.PreTokenizers;

/// <summary>A step that cuts a piece into smaller ones before any merging.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Appends what becomes of <paramref name="piece"/>; never an empty piece.</summary>
    public abstract void Split(Piece piece, List<Piece> output);

    /// <summary>Runs the steps one after the other, each on the pieces the one before left.</summary>
    public static List<Piece> Run(IReadOnlyList<PreTokenizer> steps, Piece text)
    {
        var pieces = new List<Piece>();
        if (text.Length > 0)
            pieces.Add(text);
        var next = new List<Piece>();
        foreach (var step in steps)
        {
            foreach (var piece in pieces)
                step.Split(piece, next);
            (pieces, next) = (next, pieces);
            next.Clear();
        }

        return pieces;
    }
}
