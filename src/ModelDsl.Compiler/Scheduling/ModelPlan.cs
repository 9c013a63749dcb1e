using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>
/// Everything the generated host plays: launches, buffers at fixed offsets, weights and tables. It decides nothing itself.
/// </summary>
/// <param name="Weights">In loading order.</param>
/// <param name="IgnoredPrefixes">Tensors of a checkpoint whose names start so are known and not loaded: MTP modules without use, and
/// the copies of embedding and head in those that have one.</param>
/// <param name="Mtp">How tokens are drafted; null: they are not.</param>
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
    RopeTable Rope,
    MtpPlan? Mtp = null)
{
    public EquatableArray<PhasePlan> Phases =>
        Mtp is null ? [Prefill, Decode, Greedy, Nucleus] : [Prefill, Decode, Greedy, Nucleus, Mtp.Prefill, Mtp.Decode];

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

/// <summary>Drafting with the MTP module (V3 report, section 5.4.3).</summary>
/// <param name="DraftTokens">Most tokens drafted per step; a decode step has room for one row more.</param>
/// <param name="HiddenRowBytes">Bytes of one row of <see cref="StepOutput.Hidden"/>.</param>
public sealed record MtpPlan(PhasePlan Prefill, PhasePlan Decode, int DraftTokens, int HiddenRowBytes);

/// <summary>The paged latent cache: per layer and token one row of <paramref name="Width"/> values (V2 report, section 2.1), or the bytes of a <see cref="Fp8CacheRow"/>.</summary>
/// <param name="Page">Tokens per page; row <c>p * Page + i</c> is token i of page p.</param>
public sealed record CachePlan(int Layers, int Width, DType Type, int Page)
{
    /// <summary>Bytes of one token in all layers.</summary>
    public long BytesPerToken => (long)Layers * Width * Type.Bytes();

    /// <summary>Bytes of one page in one layer.</summary>
    public long PageBytes => (long)Page * Width * Type.Bytes();
}
