using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The scales of a tile's rows of W, one for each step, as a warp that multiplies keeps them: each lane that of another step. They are asked for before the tiles that they belong to are
/// there, and the thread that copies those waits for nothing but room: where a block has few steps, each wait for memory counts.
/// </summary>
internal sealed class HeldScales
{
    private const int Lanes = 32;

    private readonly KernelBuilder _k;
    private readonly GlobalPtr<F32> _scales;
    private readonly S32 _first;
    private readonly int _steps;
    private readonly Var<F32> _held;

    /// <param name="scales">Of all steps of the depth.</param>
    /// <param name="first">The first one that is wanted; all behind it follow in turn.</param>
    /// <param name="steps">How many the depth has.</param>
    public HeldScales(KernelBuilder k, GlobalPtr<F32> scales, S32 first, int steps)
    {
        (_k, _scales, _first, _steps) = (k, scales, first, steps);
        _held = k.Var(Load(first));
    }

    public F32 Of(S32 step)
    {
        if (_steps > Lanes) _k.If((step - _first & (Lanes - 1)) == 0, () => _held.Value = Load(step), uniform: true);
        return _k.Shuffle(_held.Value, step - _first);
    }

    private F32 Load(S32 step) => _scales.Load(_k.Min(step + _k.LaneId, _steps - 1));
}
