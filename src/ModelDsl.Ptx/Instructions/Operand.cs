namespace ModelDsl.Ptx.Instructions;

/// <summary>A virtual register. The index says in which order it was asked for; printing numbers it afresh.</summary>
public readonly record struct Register(RegisterClass Class, int Index);

/// <summary>What an instruction reads or writes.</summary>
public abstract record Operand
{
    public static implicit operator Operand(Register register) => new RegisterOperand(register);
}

public sealed record RegisterOperand(Register Register) : Operand;

/// <summary>A constant: its bits, zero-extended, and the type it is printed as.</summary>
public sealed record ImmediateOperand(ulong Bits, ScalarType Type) : Operand;

/// <summary>Memory: <c>[base+offset]</c>.</summary>
public sealed record AddressOperand(Operand Base, long Offset) : Operand;

/// <summary>Several registers as one operand: <c>{%r1, %r2}</c>.</summary>
public sealed record VectorOperand(IReadOnlyList<Operand> Items) : Operand
{
    public bool Equals(VectorOperand? other) => other is not null && Items.SequenceEqual(other.Items);

    public override int GetHashCode() => Items.Aggregate(17, (hash, item) => hash * 31 + item.GetHashCode());
}

/// <summary>Two results as one operand: <c>_|%p1</c>.</summary>
public sealed record PairOperand(Operand First, Operand Second) : Operand;

/// <summary>A tile of a tensor: <c>[map, {x, y}]</c>.</summary>
public sealed record TileOperand(Operand Map, IReadOnlyList<Operand> Coordinates) : Operand
{
    public bool Equals(TileOperand? other) => other is not null && Map == other.Map && Coordinates.SequenceEqual(other.Coordinates);

    public override int GetHashCode() => Coordinates.Aggregate(Map.GetHashCode(), (hash, item) => hash * 31 + item.GetHashCode());
}

/// <summary>A shared variable or a kernel parameter by name.</summary>
public sealed record SymbolOperand(string Name) : Operand;

/// <summary>A special register: <c>%tid.x</c>.</summary>
public sealed record SpecialOperand(string Name) : Operand;

/// <summary>A jump target.</summary>
public sealed record LabelOperand(string Name) : Operand;
