using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What the copying warps of <see cref="MlaPrefillBackward"/> do. Declares its first four parameters.</summary>
internal sealed class MlaBackwardCopies(KernelBuilder k, MlaPrefillBackward kernel, MlaBackwardMemory memory)
{
    private const int Own = MlaPrefillBackward.OwnRows, Other = MlaPrefillBackward.OtherRows, Columns = MlaPrefillBackward.Columns, RowBytes = MlaPrefillBackward.RowBytes;

    private readonly TensorMapParameter _q = k.TensorMapParam("q"), _kv = k.TensorMapParam("kv"), _kRope = k.TensorMapParam("k_rope"), _dOut = k.TensorMapParam("d_out");
    private readonly MlaPrefill _shape = kernel.Forward;

    private S32 Head => k.BlockIdY;

    /// <summary>By one thread: the block's own tiles, then the other side's.</summary>
    public void CopyTiles(SequencePlace place, MlaBackwardSteps steps)
    {
        var own = place.Tile * Own;
        memory.OwnFull.ArriveExpecting(Own * (_shape.Depth + _shape.VDim) * 2);
        Copy(kernel.OwnsKeys, memory.OwnDeep, memory.OwnValues, Own, memory.OwnFull, own);
        var at = memory.Ring.Start();
        steps.ForEach(k, step =>
        {
            at.AwaitEmpty();
            at.Full.ArriveExpecting(Other * (_shape.Depth + _shape.VDim) * 2);
            Copy(!kernel.OwnsKeys, memory.OtherDeep(at.Stage), memory.OtherValues(at.Stage), Other, at.Full, step * Other);
            at.Advance();
        });

        void Copy(bool keys, SharedPtr<U8> deep, SharedPtr<U8> values, int rows, Mbarrier full, S32 row)
        {
            row = row + (keys ? place.FirstKey : place.FirstQuery);
            for (var c = 0; c < _shape.Depth; c += Columns)
            {
                var (map, column) = !keys ? (_q, Head * _shape.Depth + c) : c < _shape.NopeDim ? (_kv, Head * _shape.PerKey + c) : (_kRope, (S32)(c - _shape.NopeDim));
                map.Load(deep.AddBytes(c / Columns * rows * RowBytes), full, column, row);
            }
            for (var c = 0; c < _shape.VDim; c += Columns)
            {
                var (map, column) = keys ? (_kv, Head * _shape.PerKey + _shape.NopeDim + c) : (_dOut, Head * _shape.VDim + c);
                map.Load(values.AddBytes(c / Columns * rows * RowBytes), full, column, row);
            }
        }
    }

    /// <summary>By a warp: lse and delta of the queries of each step. What is no query of the sequence gets such that its probabilities are zero.</summary>
    public void CopyRowNumbers(SequencePlace place, MlaBackwardSteps steps, GlobalPtr<F32> lse, GlobalPtr<F32> delta)
    {
        var at = memory.Ring.Start();
        var (fromLse, fromDelta) = (lse.Row(Head, place.Tokens) + place.FirstQuery, delta.Row(Head, place.Tokens) + place.FirstQuery);
        steps.ForEach(k, step =>
        {
            at.AwaitEmpty();
            var to = memory.Numbers(at.Stage);
            for (var first = 0; first < Other; first += 32)
            {
                var query = step * Other + first + k.LaneId;
                to.Store(k.Rounded(fromLse.LoadOr(query < place.Queries, float.PositiveInfinity, query) * RowSoftmax.Log2E), k.LaneId + first);
                to.Store(fromDelta.LoadOr(query < place.Queries, 0f, query), k.LaneId + (first + Other));
            }
            at.Full.Arrive();
            at.Advance();
        });
    }
}
