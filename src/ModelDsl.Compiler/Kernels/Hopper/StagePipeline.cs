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
    /// <param name="stride">Stages that it takes at a time; divides their number, so that what it takes lies one behind the other and addresses in it are known.</param>
    public Cursor Start(int stride = 1) => new(this, k, stages, stride);

    internal sealed class Cursor
    {
        private readonly StagePipeline _ring;
        private readonly KernelBuilder _k;
        private readonly int _stages, _stride, _ahead;
        private readonly Var<S32> _first, _parity;

        public Cursor(StagePipeline ring, KernelBuilder k, int stages, int stride)
        {
            if (stages % stride != 0) throw new ArgumentException($"{stages} stages cannot be taken {stride} at a time", nameof(stride));
            (_ring, _k, _stages, _stride) = (ring, k, stages, stride);
            (_first, _parity) = (k.Var<S32>(0), k.Var<S32>(0));
        }

        private Cursor(Cursor from, int ahead)
        {
            (_ring, _k, _stages, _stride, _first, _parity) = (from._ring, from._k, from._stages, from._stride, from._first, from._parity);
            _ahead = ahead;
        }

        /// <summary>Number of the stage.</summary>
        public S32 Stage => (_stride == _stages ? 0 : _first.Value) + _ahead;

        public Mbarrier Full => _ring._full[Stage];

        /// <summary>One of the stages that are taken together.</summary>
        public Cursor Ahead(int stages) => new(this, stages);

        /// <summary>Waits until consumers have released what the stage held; at first nothing.</summary>
        public void AwaitEmpty() => _ring._empty[Stage].Wait(_parity.Value ^ 1);

        public void AwaitFull() => Full.Wait(_parity.Value);

        /// <summary>The stage may be filled again, as far as the threads go for which this one speaks.</summary>
        public void Release(Pred speaks) => _k.Guarded(speaks, _ring._empty[Stage].Arrive);

        /// <summary>As <see cref="Release"/>, of the stage before this one.</summary>
        public void ReleasePrevious(Pred speaks) =>
            _k.Guarded(speaks, _ring._empty[_k.Select(Stage == 0, _stages - 1, Stage - 1)].Arrive);

        public void Advance()
        {
            if (_stride == _stages)
            {
                _parity.Value = _parity.Value ^ 1;
                return;
            }
            var next = _first.Value + _stride;
            var wraps = next == _stages;
            _parity.Value = _parity.Value ^ _k.ToS32(wraps);
            _first.Value = _k.Select(wraps, 0, next);
        }
    }
}
