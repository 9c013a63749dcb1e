using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>Rotates pairs (2i, 2i+1) of the one key that all heads share: <c>[T, rope]</c>.</summary>
/// <param name="Back">By the opposite angle: what a gradient needs.</param>
public sealed record RopeKeyOp(Value Key, Value Cos, Value Sin, Value Positions, Value Result, bool Back = false) : Op
{
    public override string Mnemonic => "rope_key";

    public override ImmutableArray<Value> Operands => [Key, Cos, Sin, Positions];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => Back ? "back" : "";

    public override Op Map(Func<Value, Value> map) =>
        this with { Key = map(Key), Cos = map(Cos), Sin = map(Sin), Positions = map(Positions), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("key", Key);
        rule.Type("positions", Positions, DType.I32);
        rule.Shape("key", Key, Positions.Type.Rows, Key.Type.Width);
        rule.Shape("cos", Cos, Cos.Type.Rows, Key.Type.Width / 2);
        rule.Shape("sin", Sin, Cos.Type.Rows, Key.Type.Width / 2);
        rule.Same("key and result", Key, Result);
        rule.Shape("result", Result, Key.Type.Rows, Key.Type.Width);
    }
}
