namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>What one step of a compiled expression does.</summary>
internal enum Op
{
    /// <summary>Takes one code point of set A.</summary>
    One,

    /// <summary>Takes between Min and Max code points of set A, giving back from the end when what follows fails.</summary>
    Many,

    /// <summary>As <see cref="Many"/>, never giving back.</summary>
    ManyPossessive,

    /// <summary>Goes on at A; if that fails, at B.</summary>
    Fork,

    /// <summary>Goes on at A.</summary>
    Jump,

    /// <summary>Runs the next step as an expression of its own and goes on at A from its end.</summary>
    Atomic,

    /// <summary>The next step, run as an expression of its own, must match; goes on at A.</summary>
    LookAhead,

    /// <summary>As <see cref="LookAhead"/>, must not match.</summary>
    LookAheadNot,

    /// <summary>The code point before must be in set A.</summary>
    LookBehind,

    /// <summary>There is no code point of set A before.</summary>
    LookBehindNot,

    AtStart,
    AtEnd,

    /// <summary>The expression (or the inner one) has matched.</summary>
    Match,
}

/// <summary>One step of a compiled expression; what the operands mean is said at the <see cref="Op"/>.</summary>
internal readonly record struct Instruction(Op Op, int A = 0, int B = 0, int Min = 0, int Max = 0);
