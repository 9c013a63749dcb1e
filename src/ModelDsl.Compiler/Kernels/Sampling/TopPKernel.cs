using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Sampling;

/// <summary>
/// Nucleus sampling: an id from the smallest set of most probable ids that together reach <c>top_p</c>, by inverse transform over
/// ascending ids. Ids as probable as the last one of the set belong to it. The result is a function of <c>uniform</c> alone.
/// </summary>
public sealed record TopPKernel(int Vocabulary) : Kernel
{
    public override string Name => $"top_p_v{Vocabulary}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("logits", DType.F32),
        KernelParameter.In("uniform", DType.F32),
        KernelParameter.Float("temperature"),
        KernelParameter.Float("top_p"),
        KernelParameter.Int("valid"),
        KernelParameter.Out("out", DType.I32),
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, VocabularyTiling.Threads(Vocabulary));
}
