using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>The groups of asynchronous copies of each thread: which are complete, and since when others can know of it.</summary>
internal sealed unsafe class AsyncCopies(CheckContext context, ThreadClocks clocks)
{
    /// <summary>For each thread the tick at which it had waited for each group.</summary>
    private List<int>[] _waited = [];
    private int[] _group = [];

    public void Begin()
    {
        int threads = 32 * context.State->Warps;
        if (_group.Length < threads)
        {
            _group = new int[threads];
            _waited = new List<int>[threads];
            for (int t = 0; t < threads; t++) _waited[t] = [];
        }
        Array.Clear(_group);
        foreach (List<int> waited in _waited) waited.Clear();
    }

    /// <summary>The group a copy is in that is made now.</summary>
    public int Group(int thread) => _group[thread];

    /// <summary>When a thread had waited for a group; zero if it has not.</summary>
    public int WaitedAt(int thread, int group) => group < _waited[thread].Count ? _waited[thread][group] : 0;

    public void Commit(Warp* warp, uint lanes)
    {
        for (uint left = lanes; left != 0; left &= left - 1) _group[32 * warp->Index + Bits.TrailingZeroCount(left)]++;
    }

    /// <summary>Waits until at most so many of the groups committed last are under way; all of them and what is uncommitted with <paramref name="all"/>.</summary>
    public void Wait(Warp* warp, uint lanes, int mostLeft, bool all)
    {
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int thread = 32 * warp->Index + Bits.TrailingZeroCount(left);
            if (all) _group[thread]++;
            while (_waited[thread].Count < _group[thread] - mostLeft) _waited[thread].Add(clocks.Clock(warp->Index));
        }
    }
}
