using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.Recompute;

/// <summary>Which ops of the forward pass run a second time (V3 report, section 3.2.3).</summary>
internal sealed record Recomputation(bool Norm, bool MlaUp, bool SwiGlu)
{
    public bool IsEmpty => !(Norm || MlaUp || SwiGlu);

    public static Recomputation Of(PrecisionSpec precision)
    {
        bool Has(string word) => precision.Cache is { } cache && cache.Recompute.Contains(word);
        return new Recomputation(Has("norm"), Has("mla_up"), Has("swiglu"));
    }

    /// <param name="covered">The maker of every value that is made again, of the ops before this one.</param>
    public bool Covers(Op op, IReadOnlyDictionary<int, Op> covered) => op switch
    {
        RmsNormOp => Norm,
        SwiGluOp or ScaleRowsOp => SwiGlu,
        LinearOp { Weight: WeightValue { Weight.Key: var key } } =>
            MlaUp && (key.EndsWith(".q_b", StringComparison.Ordinal) || key.EndsWith(".kv_b", StringComparison.Ordinal)),
        // A query that was not projected up from a latent is kept as it is after its rotation.
        RopeQueryOp { Query: Temporary query } => MlaUp && covered.ContainsKey(query.Id),
        // The norms that enter an MTP module are read side by side.
        ConcatColumnsOp { A: Temporary a, B: Temporary b } => Norm && covered.ContainsKey(a.Id) && covered.ContainsKey(b.Id),
        _ => false,
    };
}
