using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// A ring of stages in shared memory between warps that fill them and warps that use them. Each stage has two barriers: full, which data and
/// producers complete, and empty, which consumers do. Neither side ever waits for the block.
/// </summary>
/// <param name="fills">Arrivals that make a stage full, besides bytes.</param>
/// <param name="releases">Arrivals that make it empty.</param>
internal sealed class StagePipeline(KernelBuilder k, int stages, int fills, int releases)
{
    private readonly Mbarrier _full = new(k, k.DynamicShared<B64>(stages, align: 8)), _empty = new(k, k.DynamicShared<B64>(stages, align: 8));

    public static int SharedBytes(int stages) => 2 * sizeof(ulong) * stages;

    /// <summary>By one thread; before anybody uses a stage there must be a barrier of the block.</summary>
    public void Initialise()
    {
        for (var stage = 0; stage < stages; stage++)
        {
            _full[stage].Initialise(fills);
            _empty[stage].Initialise(releases);
        }
        k.FenceBarrierInit();
    }

    /// <summary>A thread's place in the ring; each kind of thread has its own.</summary>
    public Cursor Start() => new(this, k, stages);

    internal sealed class Cursor(StagePipeline ring, KernelBuilder k, int stages)
    {
        private readonly Var<S32> _stage = k.Var<S32>(0), _parity = k.Var<S32>(0);

        /// <summary>Number of the stage.</summary>
        public S32 Stage => _stage.Value;

        public Mbarrier Full => ring._full[_stage.Value];

        /// <summary>Waits until consumers have released what the stage held; at first nothing.</summary>
        public void AwaitEmpty() => ring._empty[_stage.Value].Wait(_parity.Value ^ 1);

        public void AwaitFull() => Full.Wait(_parity.Value);

        /// <summary>The stage may be filled again, as far as the threads go for which this one speaks.</summary>
        public void Release(Pred speaks) => k.Guarded(speaks, ring._empty[_stage.Value].Arrive);

        /// <summary>As <see cref="Release"/>, of the stage before this one.</summary>
        public void ReleasePrevious(Pred speaks) =>
            k.Guarded(speaks, ring._empty[k.Select(_stage.Value == 0, stages - 1, _stage.Value - 1)].Arrive);

        public void Advance()
        {
            var next = _stage.Value + 1;
            var wraps = next == stages;
            _parity.Value = _parity.Value ^ k.ToS32(wraps);
            _stage.Value = k.Select(wraps, 0, next);
        }
    }
}
