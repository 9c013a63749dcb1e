using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What a math warpgroup of <see cref="MlaPrefill"/> does with its 64 queries.</summary>
internal sealed class MlaPrefillMath
{
    private const int RowBytes = MlaPrefill.RowBytes, KeyRows = MlaPrefill.Keys, WaveRows = 64, BothWarpgroups = 256;

    private readonly KernelBuilder _k;
    private readonly MlaPrefill _kernel;
    private readonly MlaPrefillMemory _memory;
    private readonly SequencePlace _place;
    private readonly S32 _warpgroup, _row;
    private readonly S32[] _keysSeen;
    private readonly StagePipeline.Cursor _keys, _values;
    private readonly TileDescriptor _q, _kTile, _vTile;
    private readonly Var<F32>[] _s, _o;
    private readonly Var<B32>[] _p;
    private readonly RowSoftmax _softmax;

    public MlaPrefillMath(KernelBuilder k, MlaPrefill kernel, MlaPrefillMemory memory, SequencePlace place, S32 warpgroup)
    {
        (_k, _kernel, _memory, _place, _warpgroup) = (k, kernel, memory, place, warpgroup);
        (_keys, _values) = (memory.Keys.Start(), memory.Values.Start());
        _q = k.TileDescriptor(memory.Q.AddBytes(warpgroup * (WaveRows * RowBytes)), TileSwizzle.Bytes128, 8 * RowBytes);
        _kTile = k.TileDescriptor(memory.K(0), TileSwizzle.Bytes128, 8 * RowBytes);
        _vTile = k.TileDescriptor(memory.V(0), TileSwizzle.Bytes128, 8 * RowBytes, leadingBytes: KeyRows * RowBytes);
        (_s, _o, _p) = (k.Vars<F32>(KeyRows / 2, 0f), k.Vars<F32>(kernel.VDim / 2, 0f), k.Vars<B32>(KeyRows / 4, 0u));
        _softmax = new RowSoftmax(k, (float)kernel.Scale * RowSoftmax.Log2E);
        _row = place.Tile * MlaPrefill.Rows + warpgroup * WaveRows + (k.WarpId & 3) * 16 + (k.LaneId >> 2);
        _keysSeen = [.. new[] { 0, 8 }.Select(below => kernel.Causal ? k.Min(place.Keys, place.Keys - place.Queries + 1 + _row + below) : place.Keys)];
    }

    /// <param name="steps">At least one.</param>
    /// <param name="lse">Null where it is not wanted.</param>
    public void Emit(S32 steps, S32 head, GlobalPtr<BF16> output, GlobalPtr<F32>? lse)
    {
        _k.Comment("the last keys; nothing to add to yet");
        _memory.QueriesFull.Wait(0);
        _keys.AwaitFull();
        _k.WgmmaFence();
        MultiplyKeys();
        _k.WgmmaWait(0);
        Release(_keys);
        Mask((steps - 1) * KeyRows);
        _softmax.Update(_s, mayBeEmpty: true);
        PackProbabilities();

        // Steps from here on down have no key that a query of the block may not see.
        var whole = _kernel.Causal ? _place.Keys - _place.Queries + 1 + _place.Tile * MlaPrefill.Rows : _place.Keys;
        var firstWhole = _k.Min(steps - 1, _k.Max(0, whole) / KeyRows);
        _k.If((_warpgroup == 1) & (steps > 1), () => _k.BarrierArrive(Turn(0), BothWarpgroups));
        _k.Comment("steps on the diagonal");
        _k.For(0, steps - 1 - firstWhole, i => Step(steps - 2 - i, masked: true), nounroll: true);
        _k.Comment("steps below");
        _k.For(0, firstWhole, i => Step(firstWhole - 1 - i, masked: false), nounroll: true);

        _k.Comment("the first values");
        _values.AwaitFull();
        _k.WgmmaFence();
        MultiplyValues();
        _k.WgmmaWait(0);
        Store(head, output, lse);
    }

    /// <summary>Scores of one step, values of the one before it.</summary>
    private void Step(S32 step, bool masked)
    {
        _keys.AwaitFull();
        _values.AwaitFull();
        _k.Barrier(Turn(_warpgroup), BothWarpgroups);
        _k.WgmmaFence();
        MultiplyKeys();
        MultiplyValues();
        // The one that starts has been let in once before, so that its last turn is nobody's to give.
        _k.If((_warpgroup == 0) | (step > 0), () => _k.BarrierArrive(Turn((S32)1 - _warpgroup), BothWarpgroups), uniform: true);
        _k.WgmmaWait(1);
        Release(_keys);
        if (masked) Mask(step * KeyRows);
        var keep = _softmax.Update(_s, masked);
        // It never is. But the assembler, which would wait first and make exponentials after, cannot know and must have all of them here.
        _memory.Unused.StoreIf(_softmax.OwnSum < 0f, 0f);
        _k.WgmmaWait(0);
        Release(_values);
        for (var e = 0; e < _o.Length; e++) _o[e].Value = _k.Rounded(_o[e].Value * keep[e / 2 % 2]);
        PackProbabilities();
    }

    /// <summary>S = Q·Kᵀ, 64 x 128.</summary>
    private void MultiplyKeys()
    {
        var k = _kTile.At(_keys.Stage, KeyRows * _kernel.Depth * 2);
        for (var part = 0; part < _kernel.Depth / 16; part++)
        {
            var (column, inside) = (part / 4, part % 4 * 32);
            _k.Wgmma(WgmmaShape.BF16(KeyRows), _s, _q + (column * MlaPrefill.Rows * RowBytes + inside), k + (column * KeyRows * RowBytes + inside), accumulates: part > 0);
        }
        _k.WgmmaCommit();
    }

    /// <summary>O += P·V.</summary>
    private void MultiplyValues()
    {
        var v = _vTile.At(_values.Stage, KeyRows * _kernel.VDim * 2);
        var shape = WgmmaShape.BF16(_kernel.VDim) with { TransposesB = true };
        for (var part = 0; part < KeyRows / 16; part++)
            _k.Wgmma(shape, _o, [.. _p.Skip(4 * part).Take(4).Select(p => p.Value)], v + part * 16 * RowBytes, accumulates: true);
        _k.WgmmaCommit();
    }

    private void Mask(S32 firstKey)
    {
        for (var half = 0; half < 2; half++)
        {
            var seen = _keysSeen[half] - firstKey - (_k.LaneId & 3) * 2;
            for (var e = 2 * half; e < _s.Length; e += e % 2 == 0 ? 1 : 3) _s[e].SetIf(seen <= e / 4 * 8 + e % 2, float.NegativeInfinity);
        }
    }

    private void PackProbabilities()
    {
        for (var i = 0; i < _p.Length; i++) _p[i].Value = _k.ToBF16x2(_s[2 * i], _s[2 * i + 1]);
    }

    private void Store(S32 head, GlobalPtr<BF16> output, GlobalPtr<F32>? lse)
    {
        var (inverses, sums) = (new F32[2], new F32[2]);
        for (var half = 0; half < 2; half++)
        {
            sums[half] = _softmax.Sum(half);
            inverses[half] = _k.Select(sums[half] > 0f, _k.Reciprocal(sums[half]), 0f);
        }
        var firstRow = _place.Tile * MlaPrefill.Rows + _warpgroup * WaveRows;
        var to = output.Row(_place.FirstQuery + firstRow, _kernel.Heads * _kernel.VDim) + head * _kernel.VDim;
        var store = new RowStore(_k, _memory.Q.AddBytes(_warpgroup * (WaveRows * RowBytes)), MlaPrefill.Rows * RowBytes, 3 + _warpgroup);
        store.Store(e => _k.Rounded(_o[e].Value * inverses[e / 2 % 2]), _kernel.VDim, to, _kernel.Heads * _kernel.VDim, _place.Queries - firstRow);
        if (lse is null) return;
        for (var half = 0; half < 2; half++)
        {
            var value = _k.Select(sums[half] > 0f, _k.Rounded(_k.Fma(_softmax.Largest(half), (float)_kernel.Scale * RowSoftmax.Log2E, _k.Log2(sums[half])) * RowSoftmax.Ln2), float.PositiveInfinity);
            var row = _row + 8 * half;
            (lse.Row(head, _place.Tokens) + (_place.FirstQuery + row)).StoreIf(((_k.LaneId & 3) == 0) & (row < _place.Queries), value);
        }
    }

    private void Release(StagePipeline.Cursor at)
    {
        at.Release(_k.LaneId == 0);
        at.Advance();
    }

    private static S32 Turn(S32 warpgroup) => warpgroup + 1;
}
