using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Puts together what the parts of <see cref="MlaDecode"/> have of a request: their mean, weighted by e^lse, in the order of the parts. A warp takes a row; requests that
/// one part had alone are left as they are. Reads 2 KB for each part of a row, writes 1 KB.
/// </summary>
/// <param name="Rows">Rows of Q that a request has.</param>
/// <param name="Parts">As many as the attention was made with.</param>
public sealed record MlaDecodeCombine(int Rows, int Parts) : Kernel
{
    private const int WarpsOfBlock = 4, Lanes = 32, Vector = 4, Turns = MlaDecode.KvRank / (Lanes * Vector);

    public override string Name => $"mla_decode_combine_r{Rows}_parts{Parts}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("partial", DType.F32),
        KernelParameter.In("partial_lse", DType.F32),
        KernelParameter.In("starts", DType.I32),
        KernelParameter.Out("out", DType.BF16),
        KernelParameter.Out("lse", DType.F32),
        KernelParameter.Int("requests"),
    ];

    public override LaunchGeometry Geometry => new((Rows + WarpsOfBlock - 1) / WarpsOfBlock, Dim.Rows, 1, WarpsOfBlock * Lanes);

    protected override void Write(KernelBuilder k)
    {
        var (partial, partialLse, starts) = (k.GlobalPtrParam<F32>("partial"), k.GlobalPtrParam<F32>("partial_lse"), k.GlobalPtrParam<S32>("starts"));
        var (output, lse, request) = (k.GlobalPtrParam<BF16>("out"), k.GlobalPtrParam<F32>("lse"), k.BlockIdY);
        var plan = new DecodePlan(k, starts, k.S32Param("requests"), Parts);
        var row = k.BlockIdX * WarpsOfBlock + k.WarpId;
        k.ReturnIf(row >= Rows);
        var (first, last) = plan.PartsOf(request);
        k.ReturnIf(first == last);
        void ForEach(Action<S32> work) => k.For(first, last + 1, 1, (part, loop) =>
        {
            loop.ContinueIf(plan.IsEmpty(part));
            work(part);
        });
        F32 LseOf(S32 part) => partialLse.Row(plan.SlotOf(part, first), Rows).Load(row);

        k.Comment("Weights of the parts relative to the heaviest.");
        var largest = k.Var<F32>(float.NegativeInfinity);
        ForEach(part => largest.Value = k.Max(largest, LseOf(part)));
        var from = k.Select(largest.Value == float.NegativeInfinity, 0f, largest.Value);
        var total = k.Var<F32>(0f);
        var sums = k.Vars<F32>(Turns * Vector, 0f);
        ForEach(part =>
        {
            var weight = k.Exp(LseOf(part) - from);
            total.Value = total.Value + weight;
            var slot = partial.Row(plan.SlotOf(part, first), Rows * MlaDecode.KvRank).Row(row, MlaDecode.KvRank);
            for (var turn = 0; turn < Turns; turn++)
            {
                var values = (slot + k.LaneId * Vector).LoadVector(Vector, turn * Lanes * Vector);
                for (var i = 0; i < Vector; i++) sums[turn * Vector + i].Value = k.Fma(weight, values[i], sums[turn * Vector + i]);
            }
        });

        var inverse = k.Select(total.Value > 0f, k.Reciprocal(total), 0f);
        var to = output.Row(request, Rows * MlaDecode.KvRank).Row(row, MlaDecode.KvRank).As<BF16x2>() + k.LaneId * (Vector / 2);
        for (var turn = 0; turn < Turns; turn++)
            to.StoreVector([.. Enumerable.Range(0, Vector / 2).Select(i => k.ToBF16x2(sums[turn * Vector + 2 * i].Value * inverse, sums[turn * Vector + 2 * i + 1].Value * inverse))], turn * Lanes * Vector / 2);
        lse.Row(request, Rows).StoreIf(k.LaneId == 0, k.Select(total.Value > 0f, k.Fma(k.Log2(total), RowSoftmax.Ln2, from), float.PositiveInfinity), row);
    }
}
