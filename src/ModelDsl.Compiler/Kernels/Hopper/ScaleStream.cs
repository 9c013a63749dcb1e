using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Scales of W, one for each step, that a thread reads a step ahead, so that it never waits for one.</summary>
/// <param name="first">The step that it begins with.</param>
/// <param name="steps">How many there are in memory.</param>
internal sealed class ScaleStream(KernelBuilder k, GlobalPtr<F32> from, S32 first, int steps)
{
    private readonly Var<F32> _ahead = k.Var(from.Load(first));

    /// <summary>That of <paramref name="step"/>; steps come one after the other.</summary>
    public F32 Next(S32 step)
    {
        var scale = _ahead.Value;
        _ahead.Value = from.Load(k.Min(step + 1, steps - 1));
        return scale;
    }
}
