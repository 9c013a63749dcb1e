using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Sampling;

/// <summary>The id of the largest logit of every row; the lowest id wins ties, and only ids below <c>valid</c> count.</summary>
public sealed record ArgmaxKernel(int Vocabulary) : Kernel
{
    public override string Name => $"argmax_v{Vocabulary}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("logits", DType.F32), KernelParameter.Int("valid"), KernelParameter.Out("out", DType.I32), KernelParameter.Int("rows")];

    public override LaunchGeometry Geometry => new(Dim.Rows, VocabularyTiling.Threads(Vocabulary));
}
