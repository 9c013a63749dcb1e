using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>
/// Everything the generated host plays: launches, buffers at fixed offsets, weights and tables. It decides nothing itself.
/// </summary>
/// <param name="Weights">In loading order.</param>
/// <param name="IgnoredPrefixes">Tensors of a checkpoint whose names start so are known and not loaded: the MTP modules.</param>
public sealed record ModelPlan(
    ModelSpec Model,
    PrecisionSpec Precision,
    PtxTarget Target,
    PlanLimits Limits,
    PhasePlan Prefill,
    PhasePlan Decode,
    PhasePlan Greedy,
    PhasePlan Nucleus,
    EquatableArray<WeightTensor> Weights,
    EquatableArray<string> IgnoredPrefixes,
    CachePlan Cache,
    RopeTable Rope)
{
    public EquatableArray<PhasePlan> Phases => [Prefill, Decode, Greedy, Nucleus];

    /// <summary>Every kernel once, in order of first use.</summary>
    public EquatableArray<Kernel> Kernels => Phases.SelectMany(phase => phase.Steps).Select(step => step.Kernel).Distinct().ToEquatable();

    /// <summary>Parameters of the model. A tensor that is loaded twice, in two formats, counts once.</summary>
    public long Parameters
    {
        get
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            return Weights.Where(weight => seen.Add(weight.Parts[0].Name)).Sum(weight => weight.Parameters);
        }
    }

    /// <summary>Size of one workspace that serves all phases, one at a time.</summary>
    public long WorkspaceBytes => Phases.Max(phase => phase.WorkspaceBytes);
}

/// <summary>The paged latent cache: per layer and token one row of <paramref name="Width"/> values (V2 report, section 2.1).</summary>
/// <param name="Page">Tokens per page; row <c>p * Page + i</c> is token i of page p.</param>
public sealed record CachePlan(int Layers, int Width, DType Type, int Page)
{
    /// <summary>Bytes of one token in all layers.</summary>
    public long BytesPerToken => (long)Layers * Width * Type.Bytes();

    /// <summary>Bytes of one page in one layer.</summary>
    public long PageBytes => (long)Page * Width * Type.Bytes();
}
