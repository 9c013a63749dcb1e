using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>
/// The parts of all ranks behind each other, in the order of the ranks: rows <c>[r, ..]</c> become <c>[r * n, ..]</c>; a flat part
/// <c>[ceil(elements / n)]</c> of a tensor becomes the tensor, and what pads the last part is dropped.
/// </summary>
public sealed record AllGatherOp(Value X, CommGroup Group, Value Result) : Op
{
    public override string Mnemonic => "all_gather";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"over={Group}";

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Same("x and result", X, Result);
        CheckParts(rule, X, Result, Group);
    }

    internal static void CheckParts(TypeRule rule, Value part, Value whole, CommGroup group)
    {
        if (whole.Type.Elements.Constant is { } elements && part.Type.Elements.Constant is { } share)
            rule.Require(share == (elements + group.Size - 1) / group.Size, $"a part of {whole.Type} among {group.Size} ranks is not {part.Type}");
        else
            rule.Require(
                whole.Type.Elements.Equals(part.Type.Elements * group.Size) || Rest(whole).SequenceEqual(Rest(part)),
                $"{whole.Type} is not {group.Size} times {part.Type}");
    }

    private static IEnumerable<Dim> Rest(Value value) => value.Type.Shape.Skip(1);
}
