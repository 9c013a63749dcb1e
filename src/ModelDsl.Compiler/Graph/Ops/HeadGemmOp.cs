using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

public enum Absorption
{
    /// <summary>
    /// Queries into latent space: <c>q_latent[h] = q_nope[h] · W_UK[h]</c>, <c>[T, h*(nope+rope)]</c> to <c>[T, h*rank]</c>.
    /// </summary>
    Query,

    /// <summary>Latent results to values: <c>o[h] = z[h] · W_UV[h]ᵀ</c>, <c>[T, h*rank]</c> to <c>[T, h*v]</c>.</summary>
    Value,
}

/// <summary>
/// One product per head with its block of <c>kv_b</c> <c>[h*(nope+v), rank]</c>: the absorbed up-projections of MLA (V2 report,
/// appendix C).
/// </summary>
public sealed record HeadGemmOp(Value X, Value Weight, MlaSpec Mla, Absorption Absorption, Value Result) : Op
{
    public override string Mnemonic => "head_gemm";

    public override ImmutableArray<Value> Operands => [X, Weight];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"absorb={(Absorption == Absorption.Query ? "query" : "value")} heads={Mla.Heads}";

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Weight = map(Weight), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Same("x and weight", X, Weight);
        rule.Same("x and result", X, Result);
        rule.Shape("weight", Weight, Mla.Heads * (Mla.NopeDim + Mla.VDim), Mla.KvRank);
        rule.Shape("x", X, X.Type.Rows, Mla.Heads * (Absorption == Absorption.Query ? Mla.QkDim : Mla.KvRank));
        rule.Shape("result", Result, X.Type.Rows, Mla.Heads * (Absorption == Absorption.Query ? Mla.KvRank : Mla.VDim));
    }
}
