using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler;

/// <summary>What holds where nobody says otherwise: the same for the command line and for the generator.</summary>
public static class CompileDefaults
{
    /// <summary>New tokens of one prefill step.</summary>
    public const int PrefillTokens = 512;

    /// <summary>Tokens of one sequence.</summary>
    public const int ContextTokens = 4096;

    /// <summary>The steps that a host has room for: never more than the model's own context.</summary>
    public static PlanLimits Limits(ModelSpec model, int? context = null, int? prefill = null, int? sequences = null)
    {
        var tokens = context ?? Math.Min(ContextTokens, model.Context);
        return new PlanLimits(Math.Min(prefill ?? PrefillTokens, tokens), sequences ?? 1, tokens);
    }

    /// <summary>The only policy that a program declares, else BF16.</summary>
    public static PrecisionSpec Precision(BoundProgram program) => program.Precisions.Length == 1 ? program.Precisions[0] : BuiltInPrecision.Bf16;

    /// <summary>The only cluster that a program declares.</summary>
    public static ClusterSpec? Cluster(BoundProgram program) => program.Clusters.Length == 1 ? program.Clusters[0] : null;

    /// <summary>The oldest target that has what a policy needs.</summary>
    public static PtxTarget Target(PrecisionSpec precision) => precision.Gemm.IsFp8 ? PtxTarget.Sm89 : PtxTarget.Sm80;
}
