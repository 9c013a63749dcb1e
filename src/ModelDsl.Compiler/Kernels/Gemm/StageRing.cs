using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// A ring of stages in shared memory: while one is used, the next ones are on their way. Short sums are written out step by step, so
/// that every address is a constant; long ones loop.
/// </summary>
/// <param name="Stages">Stages of the ring.</param>
/// <param name="StageBytes">Bytes from stage to stage.</param>
/// <param name="Steps">Steps of the sum.</param>
internal sealed record StageRing(KernelBuilder K, int Stages, int StageBytes, int Steps)
{
    private const int Short = 4;

    /// <summary>Whether a short sum is written out. Where registers are scarce it loops instead: addresses computed ahead take some.</summary>
    public bool WritesOut { get; init; } = true;

    /// <param name="start">Starts copying a step into the stage at a byte offset.</param>
    /// <param name="use">Works on the stage at a byte offset.</param>
    public void Run(Action<S32, S32> start, Action<S32> use)
    {
        K.Comment("Fill all stages but one.");
        for (var s = 0; s < Stages - 1; s++)
        {
            if (s < Steps) start(s, s * StageBytes);
            K.CopyAsyncCommit();
        }

        K.Comment("Each step: wait for its stage, start the copy of a later one into the stage used last, multiply.");
        if (WritesOut && Steps <= Short)
        {
            for (var step = 0; step < Steps; step++)
                Step(step, step % Stages * StageBytes, (step + Stages - 1) % Stages * StageBytes, start, use);
            return;
        }

        var (used, filled) = (K.Var<S32>(0), K.Var<S32>((Stages - 1) * StageBytes));
        K.For(0, Steps, step =>
        {
            Step(step, used.Value, filled.Value, start, use);
            used.Value = Next(used.Value);
            filled.Value = Next(filled.Value);
        }, nounroll: true);
    }

    private void Step(S32 step, S32 used, S32 filled, Action<S32, S32> start, Action<S32> use)
    {
        K.CopyAsyncWait(Stages - 2);
        K.SyncThreads();
        var later = step + (Stages - 1);
        K.If(later < Steps, () => start(later, filled), uniform: true);
        K.CopyAsyncCommit();
        use(used);
    }

    private S32 Next(S32 stage)
    {
        var next = stage + StageBytes;
        return K.Select(next == Stages * StageBytes, 0, next);
    }
}
