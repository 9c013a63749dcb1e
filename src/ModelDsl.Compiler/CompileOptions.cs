using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler;

/// <param name="Target">What the kernels are written for.</param>
/// <param name="Limits">The largest step that the plan has room for.</param>
/// <param name="Taps">Intermediate tensors are kept for <c>--dump</c>.</param>
/// <param name="DraftTokens">Tokens that the MTP module drafts per step; 0: it is left out.</param>
/// <param name="Passes">Runs these passes instead of <see cref="Pipeline.Default"/>; null: those.</param>
/// <param name="PrintAfter">Called with each phase's graph after lowering (<c>lower</c>) and after every pass; null: not called.</param>
public sealed record CompileOptions(
    PtxTarget Target,
    PlanLimits Limits,
    bool Taps = false,
    int DraftTokens = 0,
    EquatableArray<PassCall>? Passes = null,
    Action<string, ModelGraph>? PrintAfter = null);
