using ModelDsl.Runtime.Tokenization.Patterns;

namespace ModelDsl.Runtime.Tokenization.PreTokenizers;

/// <summary>What a <see cref="SplitPreTokenizer"/> does with the separators its expression finds.</summary>
internal enum SplitBehavior
{
    /// <summary>Separators are dropped.</summary>
    Removed,

    /// <summary>Every separator is a piece of its own.</summary>
    Isolated,

    /// <summary>A separator closes the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A separator opens the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring separators make one piece.</summary>
    Contiguous,
}

/// <summary>Cuts where an expression matches; inverted, the text between matches is what separates.</summary>
internal sealed class SplitPreTokenizer(Pattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        using var scanner = pattern.Scan(piece.Span);
        var joiner = new Joiner(piece, behavior, output);
        var end = 0;
        while (scanner.MoveNext())
        {
            joiner.Add(end, scanner.Start, invert);
            joiner.Add(scanner.Start, scanner.End, !invert);
            end = scanner.End;
        }

        joiner.Add(end, piece.Length, invert);
        joiner.Flush();
    }

    /// <summary>Joins stretches of text and separators into pieces as the behaviour says.</summary>
    private struct Joiner(Piece piece, SplitBehavior behavior, List<Piece> output)
    {
        private int _start;
        private int _end;
        private bool _separator;

        public void Add(int start, int end, bool separator)
        {
            if (start == end)
                return;
            var joins = behavior switch
            {
                SplitBehavior.MergedWithPrevious => separator && !_separator,
                SplitBehavior.MergedWithNext => _separator && !separator,
                SplitBehavior.Contiguous => separator == _separator,
                _ => false,
            };
            if (!joins || _end == _start)
            {
                Flush();
                _start = start;
            }

            _end = end;
            _separator = separator;
        }

        public void Flush()
        {
            if (_end > _start && !(behavior == SplitBehavior.Removed && _separator))
                output.Add(piece.Slice(_start, _end - _start));
            _start = _end;
        }
    }
}
