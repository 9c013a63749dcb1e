namespace ModelDsl.Ptx.Instructions;

/// <summary>One line of a kernel.</summary>
public abstract record Statement;

/// <summary>A remark for the reader of the PTX.</summary>
public sealed record Comment(string Text) : Statement;

/// <summary>An empty line between paragraphs.</summary>
public sealed record Blank : Statement;

/// <summary>A jump target.</summary>
public sealed record Label(string Name) : Statement;

/// <summary><c>.pragma "nounroll";</c> and its like.</summary>
public sealed record Pragma(string Text) : Statement;

/// <summary>A predicate in front of an instruction: <c>@%p1</c> or <c>@!%p1</c>.</summary>
public readonly record struct Guard(Register Predicate, bool Negated);

/// <summary>What removing or moving an instruction would change.</summary>
public enum Effect
{
    /// <summary>Nothing: the result depends on the operands alone.</summary>
    None,

    /// <summary>Reads memory or a changing register: may be dropped when unused, not repeated or merged.</summary>
    Reads,

    /// <summary>Writes, synchronises or jumps: must stay.</summary>
    Writes,
}

/// <summary>One instruction.</summary>
/// <param name="Opcode">The first word: <c>fma</c>.</param>
/// <param name="Modifiers">The words after it: <c>rn</c>, <c>f32</c>.</param>
/// <param name="Destinations">What it writes; vectors count as one operand.</param>
/// <param name="Sources">What it reads.</param>
public sealed record Instruction(
    string Opcode,
    IReadOnlyList<string> Modifiers,
    IReadOnlyList<Operand> Destinations,
    IReadOnlyList<Operand> Sources,
    Effect Effect,
    Guard? Guard = null) : Statement
{
    /// <summary>Opcode and modifiers as printed: <c>fma.rn.f32</c>.</summary>
    public string FullName => Modifiers.Count == 0 ? Opcode : Opcode + "." + string.Join(".", Modifiers);

    /// <summary>Every register written.</summary>
    public IEnumerable<Register> Writes => Destinations.SelectMany(RegistersOf);

    /// <summary>Every register read: sources, addresses and guard.</summary>
    public IEnumerable<Register> Reads
    {
        get
        {
            foreach (var source in Sources)
            foreach (var register in RegistersOf(source))
                yield return register;
            if (Guard is { } guard) yield return guard.Predicate;
        }
    }

    /// <summary>The same instruction with other registers read.</summary>
    public Instruction WithReads(Func<Register, Register> map) => this with
    {
        Sources = [.. Sources.Select(s => Map(s, map))],
        Guard = Guard is { } guard ? guard with { Predicate = map(guard.Predicate) } : null,
    };

    /// <summary>The same instruction with other registers written.</summary>
    public Instruction WithWrites(Func<Register, Register> map) => this with { Destinations = [.. Destinations.Select(d => Map(d, map))] };

    private static IEnumerable<Register> RegistersOf(Operand operand) => operand switch
    {
        RegisterOperand r => [r.Register],
        AddressOperand a => RegistersOf(a.Base),
        VectorOperand v => v.Items.SelectMany(RegistersOf),
        _ => [],
    };

    private static Operand Map(Operand operand, Func<Register, Register> map) => operand switch
    {
        RegisterOperand r => map(r.Register) is var to && to == r.Register ? r : new RegisterOperand(to),
        AddressOperand a => a with { Base = Map(a.Base, map) },
        VectorOperand v => new VectorOperand([.. v.Items.Select(i => Map(i, map))]),
        _ => operand,
    };
}
