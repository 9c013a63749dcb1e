using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Which steps of 64 rows of the other side a block takes, in order, and in which of them some pairs are masked.</summary>
/// <param name="First">Counted from the sequence's start.</param>
/// <param name="Border">Where steps with masked pairs end (own side: keys) or begin (queries).</param>
/// <param name="End">Behind the last one.</param>
internal sealed record MlaBackwardSteps(S32 First, S32 Border, S32 End, bool MaskedFirst)
{
    public static MlaBackwardSteps Of(KernelBuilder k, MlaPrefillBackward kernel, SequencePlace place)
    {
        const int Step = MlaPrefillBackward.OtherRows, Rows = MlaPrefillBackward.OwnRows;
        var (first, offset) = (place.Tile * Rows, place.Keys - place.Queries);
        if (kernel.OwnsKeys)
        {
            var end = k.CeilDivide(place.Queries, Step);
            if (!kernel.Forward.Causal) return new MlaBackwardSteps(0, 0, end, MaskedFirst: true);
            // Query i sees key j where i + offset >= j.
            var start = k.Min(end, k.Max(0, first - offset) / Step);
            var border = k.Max(start, k.Min(end, k.CeilDivide(k.Max(0, first + (Rows - 1) - offset), Step)));
            return new MlaBackwardSteps(start, border, end, MaskedFirst: true);
        }

        var (visible, whole) = kernel.Forward.Causal ? (k.Min(place.Keys, offset + first + Rows), k.Min(place.Keys, offset + first + 1)) : (place.Keys, place.Keys);
        return new MlaBackwardSteps(0, k.Max(0, whole) / Step, k.CeilDivide(k.Max(0, visible), Step), MaskedFirst: false);
    }

    /// <summary>All of them, for those who do not mask.</summary>
    public void ForEach(KernelBuilder k, Action<S32> work) => k.For(First, End, work, nounroll: true);

    /// <summary>All of them, in two loops.</summary>
    public void ForEach(KernelBuilder k, Action<S32, bool> work)
    {
        k.For(First, Border, step => work(step, MaskedFirst), nounroll: true);
        k.For(Border, End, step => work(step, !MaskedFirst), nounroll: true);
    }
}
