using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What a math warpgroup of <see cref="MlaPrefillBackward"/> does with its 64 rows.</summary>
internal sealed class MlaBackwardMath(KernelBuilder k, MlaPrefillBackward kernel, MlaBackwardMemory memory)
{
    private const int Own = MlaPrefillBackward.OwnRows, Other = MlaPrefillBackward.OtherRows, RowBytes = MlaPrefillBackward.RowBytes, WaveRows = 64;

    private readonly MlaPrefill _shape = kernel.Forward;

    /// <summary>lse to base two and delta, of a row of each half or of each of the thread's columns.</summary>
    private sealed record RowNumbers(Func<int, F32> Lse, Func<int, F32> Delta);

    public void Emit(SequencePlace place, MlaBackwardSteps steps, S32 warpgroup, GlobalPtr<F32> lse, GlobalPtr<F32> delta, GlobalPtr<BF16>[] outputs)
    {
        var at = memory.Ring.Start();
        var (s, dP) = (k.Vars<F32>(Other / 2, 0f), k.Vars<F32>(Other / 2, 0f));
        var deepSums = k.Vars<F32>(_shape.Depth / 2, 0f);
        var valueSums = kernel.OwnsKeys ? k.Vars<F32>(_shape.VDim / 2, 0f) : [];
        var rows = warpgroup * (WaveRows * RowBytes);
        var (deep, values) = (Tile(memory.OwnDeep.AddBytes(rows)), Tile(memory.OwnValues.AddBytes(rows)));
        var (otherDeep, otherValues) = (Tile(memory.OtherDeep(0)), Tile(memory.OtherValues(0)));
        var (deepTurned, valuesTurned) = (Turned(memory.OtherDeep(0)), Turned(memory.OtherValues(0)));
        var row = place.Tile * Own + warpgroup * WaveRows + (k.WarpId & 3) * 16 + (k.LaneId >> 2);
        var ofRows = kernel.OwnsKeys ? null : OfRows(place, row, lse, delta);

        memory.OwnFull.Wait(0);
        steps.ForEach(k, (step, masked) =>
        {
            at.AwaitFull();
            k.WgmmaFence();
            Products(s, deep, otherDeep.At(at.Stage, Other * _shape.Depth * 2), _shape.Depth);
            var numbers = ofRows ?? OfColumns(at.Stage);
            if (kernel.OwnsKeys)
            {
                k.WgmmaWait(0);
            }
            else
            {
                Products(dP, values, otherValues.At(at.Stage, Other * _shape.VDim * 2), _shape.VDim);
                k.WgmmaWait(1);
                // The sums of the step before were started before these products.
                at.ReleasePrevious((k.LaneId == 0) & (step > steps.First));
            }
            if (masked) Mask(s, place, step * Other, row);
            for (var e = 0; e < s.Length; e++) s[e].Value = k.Exp2(k.Fma(s[e].Value, (float)_shape.Scale * RowSoftmax.Log2E, -numbers.Lse(e)));
            var p = kernel.OwnsKeys ? Pack(s) : [];
            if (kernel.OwnsKeys)
            {
                // Not all bits are ever set. But the assembler, which would start dP' before P' is packed, and then has too few registers, cannot know.
                memory.Unused.StoreIf(p.Aggregate((a, b) => a | b).As<S32>() == -1, 0f);
                k.WgmmaFence();
                Products(dP, values, otherValues.At(at.Stage, Other * _shape.VDim * 2), _shape.VDim);
                Sums(valueSums, p, valuesTurned.At(at.Stage, Other * _shape.VDim * 2), _shape.VDim);
            }
            k.WgmmaWait(kernel.OwnsKeys ? 1 : 0);
            for (var e = 0; e < s.Length; e++)
                dP[e].Value = k.Rounded((kernel.OwnsKeys ? Unpacked(p[e / 2], e % 2) : s[e].Value) * (dP[e].Value - numbers.Delta(e)));
            var dS = Pack(dP);
            k.WgmmaFence();
            Sums(deepSums, dS, deepTurned.At(at.Stage, Other * _shape.Depth * 2), _shape.Depth);
            if (kernel.OwnsKeys)
            {
                k.WgmmaWait(0);
                at.Release(k.LaneId == 0);
            }
            at.Advance();
        });
        k.WgmmaWait(0);
        Store(place, warpgroup, deepSums, valueSums, outputs);
    }

    /// <summary>64 own rows by 64 of the other side.</summary>
    private void Products(Var<F32>[] to, TileDescriptor own, TileDescriptor other, int depth)
    {
        for (var part = 0; part < depth / 16; part++)
        {
            var (column, inside) = (part / 4, part % 4 * 32);
            k.Wgmma(WgmmaShape.BF16(Other), to, own + (column * Own * RowBytes + inside), other + (column * Other * RowBytes + inside), accumulates: part > 0);
        }
        k.WgmmaCommit();
    }

    /// <summary>64 own rows by the columns of the other side's tile.</summary>
    private void Sums(Var<F32>[] to, B32[] a, TileDescriptor other, int columns)
    {
        var shape = WgmmaShape.BF16(columns) with { TransposesB = true };
        for (var part = 0; part < Other / 16; part++) k.Wgmma(shape, to, [.. a.Skip(4 * part).Take(4)], other + part * 16 * RowBytes, accumulates: true);
        k.WgmmaCommit();
    }

    private B32[] Pack(Var<F32>[] values) => [.. Enumerable.Range(0, values.Length / 2).Select(i => (B32)k.ToBF16x2(values[2 * i], values[2 * i + 1]))];

    private F32 Unpacked(B32 pair, int which)
    {
        var (first, second) = k.ToF32(pair.As<BF16x2>());
        return which == 0 ? first : second;
    }

    private void Mask(Var<F32>[] s, SequencePlace place, S32 firstColumn, S32 row)
    {
        var column = firstColumn + (k.LaneId & 3) * 2;
        var offset = place.Keys - place.Queries;
        for (var e = 0; e < s.Length; e++)
        {
            var (own, other) = (row + e / 2 % 2 * 8, e / 4 * 8 + e % 2);
            // Keys: from which query on they are seen. Queries: how many keys they see.
            var hidden = kernel.OwnsKeys
                ? own - offset - column > other
                : (_shape.Causal ? k.Min(place.Keys, offset + own + 1) : place.Keys) - column <= other;
            s[e].SetIf(hidden, float.NegativeInfinity);
        }
    }

    private RowNumbers OfRows(SequencePlace place, S32 row, GlobalPtr<F32> lse, GlobalPtr<F32> delta)
    {
        F32[] Of(GlobalPtr<F32> from, float otherwise) =>
            [.. new[] { 0, 8 }.Select(below => (from.Row(k.BlockIdY, place.Tokens) + place.FirstQuery).LoadOr(row + below < place.Queries, otherwise, row + below))];
        var scaled = Of(lse, float.PositiveInfinity).Select(x => k.Rounded(x * RowSoftmax.Log2E)).ToArray();
        var deltas = Of(delta, 0f);
        return new RowNumbers(e => scaled[e / 2 % 2], e => deltas[e / 2 % 2]);
    }

    private RowNumbers OfColumns(S32 stage)
    {
        var from = memory.Numbers(stage) + (k.LaneId & 3) * 2;
        F32[] Pair(int e, int first) => (from + (first + e / 4 * 8)).LoadVector(2, hint: LoadHint.Volatile);
        var (lse, delta) = (new F32[Other / 8][], new F32[Other / 8][]);
        return new RowNumbers(e => (lse[e / 4] ??= Pair(e, 0))[e % 2], e => (delta[e / 4] ??= Pair(e, Other))[e % 2]);
    }

    private void Store(SequencePlace place, S32 warpgroup, Var<F32>[] deepSums, Var<F32>[] valueSums, GlobalPtr<BF16>[] outputs)
    {
        var first = place.Tile * Own + warpgroup * WaveRows;
        var store = new RowStore(k, memory.OwnDeep.AddBytes(warpgroup * (WaveRows * RowBytes)), Own * RowBytes, 1 + warpgroup);
        F32 Scaled(int e) => k.Rounded(deepSums[e].Value * (float)_shape.Scale);
        var (head, heads) = (k.BlockIdY, _shape.Heads);
        if (!kernel.OwnsKeys)
        {
            store.Store(Scaled, _shape.Depth, outputs[0].Row(place.FirstQuery + first, heads * _shape.Depth) + head * _shape.Depth, heads * _shape.Depth, place.Queries - first);
            return;
        }

        var (row, left) = (place.FirstKey + first, place.Keys - first);
        var kv = outputs[0].Row(row, heads * _shape.PerKey) + head * _shape.PerKey;
        store.Store(Scaled, _shape.NopeDim, kv, heads * _shape.PerKey, left);
        store.Store(e => valueSums[e].Value, _shape.VDim, kv + _shape.NopeDim, heads * _shape.PerKey, left);
        var rope = outputs[1].Row(row, heads * _shape.RopeDim) + head * _shape.RopeDim;
        store.Store(e => Scaled(e + _shape.NopeDim / 2), _shape.RopeDim, rope, heads * _shape.RopeDim, left);
    }

    private TileDescriptor Tile(SharedPtr<U8> tile) => k.TileDescriptor(tile, TileSwizzle.Bytes128, 8 * RowBytes);

    private TileDescriptor Turned(SharedPtr<U8> tile) => k.TileDescriptor(tile, TileSwizzle.Bytes128, 8 * RowBytes, leadingBytes: Other * RowBytes);
}
