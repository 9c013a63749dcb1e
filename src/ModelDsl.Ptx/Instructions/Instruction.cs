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

/// <summary>One instruction. Immutable; what it reads and writes is worked out once, when it is made.</summary>
public sealed record Instruction : Statement
{
    /// <param name="name">Opcode and modifiers: <c>fma.rn.f32</c>.</param>
    /// <param name="destinations">What it writes; vectors count as one operand.</param>
    /// <param name="sources">What it reads.</param>
    public Instruction(string name, IReadOnlyList<Operand> destinations, IReadOnlyList<Operand> sources, Effect effect, Guard? guard = null)
    {
        (Name, Destinations, Sources, Effect, Guard) = (name, destinations, sources, effect, guard);
        var dot = name.IndexOf('.');
        Opcode = dot < 0 ? name : name.Substring(0, dot);
        var (reads, writes) = (new List<Register>(4), new List<Register>(2));
        foreach (var source in sources) Collect(source, reads);
        if (guard is { } g) reads.Add(g.Predicate);
        foreach (var destination in destinations) Collect(destination, writes);
        (Reads, Writes) = (reads, writes);
    }

    /// <summary>Opcode and modifiers as printed: <c>fma.rn.f32</c>.</summary>
    public string Name { get; }

    /// <summary>The first word: <c>fma</c>.</summary>
    public string Opcode { get; }

    /// <summary>The words after it: <c>rn</c>, <c>f32</c>.</summary>
    public IReadOnlyList<string> Modifiers => [.. Name.Split('.').Skip(1)];

    public IReadOnlyList<Operand> Destinations { get; }

    public IReadOnlyList<Operand> Sources { get; }

    public Effect Effect { get; }

    public Guard? Guard { get; }

    /// <summary>Null where lines are not asked for.</summary>
    public SourceLine? Line { get; init; }

    /// <summary>Every register read: sources, addresses and guard.</summary>
    public IReadOnlyList<Register> Reads { get; }

    /// <summary>Every register written.</summary>
    public IReadOnlyList<Register> Writes { get; }

    /// <summary>The same instruction with other registers read.</summary>
    public Instruction WithReads(Func<Register, Register> map) => new(
        Name,
        Destinations,
        [.. Sources.Select(s => Map(s, map))],
        Effect,
        Guard is { } guard ? guard with { Predicate = map(guard.Predicate) } : null) { Line = Line };

    /// <summary>The same instruction with other registers written.</summary>
    public Instruction WithWrites(Func<Register, Register> map) =>
        new(Name, [.. Destinations.Select(d => Map(d, map))], Sources, Effect, Guard) { Line = Line };

    private static void Collect(Operand operand, List<Register> registers)
    {
        switch (operand)
        {
            case RegisterOperand r:
                registers.Add(r.Register);
                break;
            case AddressOperand a:
                Collect(a.Base, registers);
                break;
            case VectorOperand v:
                foreach (var item in v.Items) Collect(item, registers);
                break;
            case PairOperand p:
                Collect(p.First, registers);
                Collect(p.Second, registers);
                break;
            case TileOperand t:
                Collect(t.Map, registers);
                foreach (var coordinate in t.Coordinates) Collect(coordinate, registers);
                break;
        }
    }

    private static Operand Map(Operand operand, Func<Register, Register> map) => operand switch
    {
        RegisterOperand r => map(r.Register) is var to && to == r.Register ? r : new RegisterOperand(to),
        AddressOperand a => a with { Base = Map(a.Base, map) },
        VectorOperand v => new VectorOperand([.. v.Items.Select(i => Map(i, map))]),
        PairOperand p => new PairOperand(Map(p.First, map), Map(p.Second, map)),
        TileOperand t => new TileOperand(Map(t.Map, map), [.. t.Coordinates.Select(c => Map(c, map))]),
        _ => operand,
    };
}
