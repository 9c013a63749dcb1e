using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Sampling;

/// <summary>The id of the largest logit of every row; the lowest id wins ties, and only ids below <c>valid</c> count.</summary>
/// <remarks>
/// One block per row, up to 1024 threads with four vectors each on their way. Reads the row once.
/// </remarks>
public sealed record ArgmaxKernel(int Vocabulary) : Kernel
{
    public override string Name => $"argmax_v{Vocabulary}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("logits", DType.F32), KernelParameter.Int("valid"), KernelParameter.Out("out", DType.I32), KernelParameter.Int("rows")];

    public override LaunchGeometry Geometry => new(Dim.Rows, VocabularyWalk.Threads(Vocabulary));

    protected override void Write(KernelBuilder k)
    {
        var logits = k.GlobalPtrParam<F32>("logits");
        var valid = k.Min(k.S32Param("valid"), Vocabulary);
        var output = k.GlobalPtrParam<S32>("out");
        var row = BlockRow.Of(k, "rows");

        var best = k.Var<F32>(float.NegativeInfinity);
        var bestId = k.Var<S32>(int.MaxValue);
        new VocabularyWalk(k, Vocabulary, logits.Row(row, Vocabulary), valid).ForEach((logit, id) =>
        {
            var better = logit > best;
            best.SetIf(better, logit);
            bestId.SetIf(better, id);
        });

        var (value, first) = Merge(k, best, bestId);
        if (Warps > 1)
        {
            var values = k.Shared<F32>("values", Warps);
            var ids = k.Shared<S32>("ids", Warps);
            values.StoreIf(k.LaneId == 0, value, k.WarpId);
            ids.StoreIf(k.LaneId == 0, first, k.WarpId);
            k.SyncThreads();
            k.ReturnIf(k.WarpId != 0);
            var here = k.LaneId < Warps;
            (_, first) = Merge(k, values.LoadOr(here, float.NegativeInfinity, k.LaneId), ids.LoadOr(here, int.MaxValue, k.LaneId));
        }

        output.StoreIf(k.LaneId == 0, k.Select(first == int.MaxValue, (S32)0, first), row);
    }

    private int Warps => VocabularyWalk.Threads(Vocabulary) / 32;

    /// <summary>The best of a warp, and the lowest id that has it.</summary>
    private static (F32 Value, S32 Id) Merge(KernelBuilder k, F32 value, S32 id)
    {
        var best = k.WarpReduceMax(value);
        return (best, k.WarpMin(k.Select(value == best, id, (S32)int.MaxValue)));
    }
}
