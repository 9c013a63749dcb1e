using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The scales of a tile, step by step, as the thread brings them that copies the tile: those of its rows of A in one piece, and behind them the one of its rows of W, which is read a step
/// ahead so that nobody waits for it.
/// </summary>
internal sealed class StepScales
{
    private readonly KernelBuilder _k;
    private readonly int _rows, _steps;
    private readonly GlobalPtr<F32> _a, _w;
    private readonly S32 _stride, _bytes;
    private readonly Var<F32> _ahead;

    /// <param name="a">The <see cref="ScaleColumns"/> of A.</param>
    /// <param name="stride">Of them.</param>
    /// <param name="first">First row of the tile, of <paramref name="rows"/>.</param>
    /// <param name="w">Of the tile's rows of W, one for each of <paramref name="steps"/>.</param>
    public StepScales(KernelBuilder k, GlobalPtr<F32> a, S32 stride, S32 first, int rows, GlobalPtr<F32> w, int steps)
    {
        (_k, _rows, _steps, _w, _stride) = (k, rows, steps, w, stride);
        _bytes = k.Min(stride - first, rows) * sizeof(float);
        _a = a + first;
        _ahead = k.Var(w.Load(0));
    }

    /// <summary>Leaves the one of W and makes the stage wait for the tile's bytes and those of A's scales. Steps come one after the other.</summary>
    public void Expect(SharedPtr<F32> to, Mbarrier full, S32 step, int tileBytes)
    {
        var ofW = _ahead.Value;
        _ahead.Value = _w.Load(_k.Min(step + 1, _steps - 1));
        to.Store(ofW, _rows);
        full.ArriveExpecting(tileBytes + _bytes);
    }

    public void Copy(SharedPtr<F32> to, Mbarrier full, S32 step) => _k.BulkCopy(to, _a.Row(step, _stride), _bytes, full);
}
