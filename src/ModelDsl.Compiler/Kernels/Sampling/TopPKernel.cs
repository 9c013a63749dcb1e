using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Sampling;

/// <summary>
/// Nucleus sampling: an id from the smallest set of most probable ids that together reach <c>top_p</c>, by inverse transform over
/// ascending ids. Ids as probable as the last one of the set belong to it. The result is a function of <c>uniform</c> alone.
/// </summary>
/// <remarks>
/// One block per row, up to 1024 threads. Reads the row six times, after the first from the second-level cache: largest logit, sum of
/// powers, three histograms, mass per warp; one warp then reads its share once more.
/// </remarks>
public sealed record TopPKernel(int Vocabulary) : Kernel
{
    private const float Log2E = 1.442695041f;

    /// <summary>Colder is as good as zero: all probability on the largest logit.</summary>
    private const float LowestTemperature = 1e-6f;

    /// <summary>Probability one as a whole number, so that sums over probabilities do not depend on their order.</summary>
    private const float WholeMass = 1 << 30;

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

    public override LaunchGeometry Geometry => new(Dim.Rows, VocabularyWalk.Threads(Vocabulary));

    private int Threads => VocabularyWalk.Threads(Vocabulary);

    private int Warps => Threads / 32;

    protected override void Write(KernelBuilder k)
    {
        var logits = k.GlobalPtrParam<F32>("logits");
        var uniforms = k.GlobalPtrParam<F32>("uniform");
        var temperature = k.F32Param("temperature");
        var topP = k.F32Param("top_p");
        var valid = k.Min(k.S32Param("valid"), Vocabulary);
        var output = k.GlobalPtrParam<S32>("out");
        var row = BlockRow.Of(k, "rows");
        var walk = new VocabularyWalk(k, Vocabulary, logits.Row(row, Vocabulary), valid);

        k.Comment("softmax");
        var scratch = k.Shared<F32>("warp_values", Warps);
        var largest = k.Var<F32>(float.NegativeInfinity);
        walk.ForEach((logit, _) => largest.Value = k.Max(largest, logit));
        var largestOfAll = k.BlockReduceMax(largest, Threads, scratch);
        var scale = (F32)Log2E / k.Max(temperature, LowestTemperature);
        F32 Power(F32 logit) => k.Exp2((logit - largestOfAll) * scale);
        var sum = k.Var<F32>(0f);
        walk.ForEach((logit, _) => sum.Value += Power(logit));
        var unit = (F32)WholeMass / k.BlockReduceSum(sum, Threads, scratch);

        var nucleus = new Nucleus(k, walk, Threads, logit =>
        {
            var power = Power(logit);
            return new Candidate(power.As<U32>(), k.RoundToS32(power * unit));
        });
        nucleus.FindThreshold(topP);
        nucleus.Pick(uniforms[row], output + row);
    }
}
