namespace ModelDsl.Runtime.VirtualGpu.Parsing;

/// <param name="Position">Where the instruction starts in the text.</param>
/// <param name="Opcode">The opcode split at its dots: <c>ld</c>, <c>global</c>, <c>v4</c>, <c>f32</c>.</param>
/// <param name="Guard">Register number of the guard predicate, or -1.</param>
internal sealed record PtxInstruction(int Position, string[] Opcode, int Guard, bool GuardNegated, Operand[] Operands, PtxScope Scope)
{
    public string Name => Opcode[0];

    public bool Has(string modifier) => Array.IndexOf(Opcode, modifier, 1) > 0;

    public string FullName => string.Join('.', Opcode);
}

internal enum OperandKind
{
    /// <summary>A virtual register; <see cref="Operand.Register"/> is its number.</summary>
    Register,
    /// <summary>An integer literal in <see cref="Operand.Bits"/>, sign-extended.</summary>
    Integer,
    /// <summary>A float literal; <see cref="Operand.Bits"/> holds the double (or the single, from <c>0f</c>).</summary>
    Single, Double,
    /// <summary>A special register such as <c>%tid.x</c>.</summary>
    Special,
    /// <summary>The address of a variable plus <see cref="Operand.Bits"/>.</summary>
    Symbol,
    /// <summary><c>[base+offset]</c>: base is <see cref="Operand.Items"/>[0] or absent, offset in <see cref="Operand.Bits"/>.</summary>
    Address,
    /// <summary><c>{a,b}</c></summary>
    Vector,
    /// <summary><c>a|b</c></summary>
    Pair,
    /// <summary><c>(a, b)</c>, of a call.</summary>
    List,
    /// <summary>A label, or the function of a call; looked up when all are known.</summary>
    Label,
    /// <summary><c>_</c></summary>
    Sink,
}

/// <summary>An operand as written.</summary>
internal sealed record Operand(OperandKind Kind, int Position)
{
    public int Register { get; init; } = -1;
    public ulong Bits { get; init; }
    public string Name { get; init; } = "";
    /// <summary>A predicate operand written <c>!%p</c>.</summary>
    public bool Negated { get; init; }
    public PtxVariable? Variable { get; init; }
    public Operand[] Items { get; init; } = [];
}
