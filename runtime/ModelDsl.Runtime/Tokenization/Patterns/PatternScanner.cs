using System.Buffers;

namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>
/// Runs a <see cref="Pattern"/> over a text, match after match. Backtracking lives on a rented stack, not on the thread's, and
/// the number of steps is bounded by the length of the text, so no expression can hang or overflow.
/// </summary>
internal ref struct PatternScanner
{
    private const long StepsPerCharacter = 2000;

    private readonly Pattern _pattern;
    private readonly Instruction[] _code;
    private readonly AtomTable _atoms;
    private readonly ReadOnlySpan<char> _text;
    private Retry[] _stack;
    private int _top;
    private int _next;
    private long _steps;

    public PatternScanner(Pattern pattern, ReadOnlySpan<char> text)
    {
        _pattern = pattern;
        _code = pattern.Code;
        _atoms = pattern.Atoms;
        _text = text;
        _stack = ArrayPool<Retry>.Shared.Rent(64);
        _steps = 100_000 + StepsPerCharacter * text.Length;
    }

    /// <summary>Where to go on when the current way fails: step, position, and (for a loop) the least position it may shrink to.</summary>
    private readonly record struct Retry(int Step, int Position, int Least);

    /// <summary>The first unit of the current match.</summary>
    public int Start { get; private set; }

    /// <summary>One past the last unit of the current match.</summary>
    public int End { get; private set; }

    /// <exception cref="PatternException">The expression needs more steps than a tokenizer may.</exception>
    public bool MoveNext()
    {
        while (_next <= _text.Length)
        {
            var length = 1;
            var possible = true;
            if (_next < _text.Length)
            {
                var atom = _atoms[Utf16.CodePointAt(_text, _next, out length)];
                possible = _pattern.First is not { } first || first[atom];
            }
            else
            {
                possible = _pattern.First is null;
            }

            var end = possible ? Run(0, _next) : -1;
            if (end < 0)
            {
                _next += length;
                continue;
            }

            (Start, End) = (_next, end);
            // An empty match must not be found again.
            _next = end > _next ? end : _next + length;
            return true;
        }

        return false;
    }

    public void Dispose()
    {
        ArrayPool<Retry>.Shared.Return(_stack);
        _stack = [];
    }

    /// <summary>Matches from one step to its <see cref="Op.Match"/>; returns the end of the match, or -1.</summary>
    private int Run(int step, int position)
    {
        var bottom = _top;
        while (true)
        {
            if (--_steps < 0)
                throw new PatternException("the expression takes too long on this text");
            var now = _code[step];
            bool alive;
            switch (now.Op)
            {
                case Op.One:
                    alive = TakeOne(now.A, ref position);
                    step++;
                    break;
                case Op.Many:
                case Op.ManyPossessive:
                    alive = TakeMany(now, ref position, step + 1);
                    step++;
                    break;
                case Op.Fork:
                    Push(new Retry(now.B, position, -1));
                    step = now.A;
                    alive = true;
                    break;
                case Op.Jump:
                    step = now.A;
                    alive = true;
                    break;
                case Op.Atomic:
                    position = Run(step + 1, position);
                    alive = position >= 0;
                    step = now.A;
                    break;
                case Op.LookAhead:
                case Op.LookAheadNot:
                    alive = Run(step + 1, position) >= 0 == (now.Op == Op.LookAhead);
                    step = now.A;
                    break;
                case Op.LookBehind:
                case Op.LookBehindNot:
                    alive = IsBefore(now.A, position) == (now.Op == Op.LookBehind);
                    step++;
                    break;
                case Op.AtStart:
                    alive = position == 0;
                    step++;
                    break;
                case Op.AtEnd:
                    alive = position == _text.Length;
                    step++;
                    break;
                default:
                    _top = bottom;
                    return position;
            }

            if (!alive && !Pop(bottom, ref step, ref position))
                return -1;
        }
    }

    private readonly bool TakeOne(int set, ref int position)
    {
        if (position >= _text.Length || !_atoms.Members[set][_atoms[Utf16.CodePointAt(_text, position, out var length)]])
            return false;
        position += length;
        return true;
    }

    private bool TakeMany(Instruction loop, ref int position, int next)
    {
        var members = _atoms.Members[loop.A];
        var count = 0;
        var least = position;
        while (count < loop.Max && position < _text.Length)
        {
            if (!members[_atoms[Utf16.CodePointAt(_text, position, out var length)]])
                break;
            position += length;
            if (++count == loop.Min)
                least = position;
        }

        _steps -= count;
        if (count < loop.Min)
            return false;
        if (loop.Op == Op.Many && position > least)
            Push(new Retry(next, position, least));
        return true;
    }

    private readonly bool IsBefore(int set, int position)
    {
        if (position == 0)
            return false;
        var start = position - Utf16.LengthBefore(_text, position);
        return _atoms.Members[set][_atoms[Utf16.CodePointAt(_text, start, out _)]];
    }

    private void Push(Retry retry)
    {
        if (_top == _stack.Length)
        {
            var larger = ArrayPool<Retry>.Shared.Rent(_stack.Length * 2);
            _stack.CopyTo(larger, 0);
            ArrayPool<Retry>.Shared.Return(_stack);
            _stack = larger;
        }

        _stack[_top++] = retry;
    }

    private bool Pop(int bottom, ref int step, ref int position)
    {
        if (_top == bottom)
            return false;
        var retry = _stack[--_top];
        (step, position) = (retry.Step, retry.Position);
        if (retry.Least < 0)
            return true;
        // A loop gives back its last code point, and stays on the stack while it has more to give.
        position -= Utf16.LengthBefore(_text, position);
        if (position > retry.Least)
            _stack[_top++] = retry with { Position = position };
        return true;
    }
}
