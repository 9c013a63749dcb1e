using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>
/// Runs clusters of blocks (mostly of one) on one thread: one after the other, until one spins. That one waits for another, so others get their turn,
/// started ones and new ones, as on a multiprocessor that holds several. When no block of any worker changes any more, nothing ever will.
/// </summary>
internal sealed unsafe class BlockWorker(DeviceHeap heap, int multiprocessor, int multiprocessors) : IDisposable
{
    /// <summary>Clusters that may wait for others at a time.</summary>
    private const int MostParked = 256;

    /// <summary>Times that all started blocks have their turn without a change before they count as stuck.</summary>
    private const int StuckRounds = 4;

    private readonly List<ClusterRunner> _runners = [];
    private readonly Stack<ClusterRunner> _free = new();
    private readonly Queue<ClusterRunner> _parked = new();

    /// <summary>Warp instructions run since the last <see cref="Reset"/>.</summary>
    public ulong Executed { get; private set; }

    /// <summary>Forgets what was counted.</summary>
    public void Reset() => Executed = 0;

    /// <summary>Takes part in a launch until there are no more blocks, or a block faults.</summary>
    public void Work(LaunchInfo launch, BlockQueue queue)
    {
        queue.Enter();
        ClusterRunner? current = null;
        try
        {
            bool more = true, isStuck = false;
            int unchanged = 0;
            long seen = queue.Progress;
            while (queue.Failure == null)
            {
                current = null;
                if (more && _parked.Count < MostParked && (more = queue.TryTake(out long cluster)))
                {
                    current = Idle(launch);
                    current.Start(cluster);
                }
                else if (!_parked.TryDequeue(out current)) break;
                ClusterOutcome outcome = current.Resume();
                if (outcome == ClusterOutcome.Finished) _free.Push(current);
                else _parked.Enqueue(current);
                if (outcome == ClusterOutcome.Unchanged && seen == queue.Progress) unchanged++;
                else
                {
                    if (outcome != ClusterOutcome.Unchanged && _parked.Count > 0) queue.Advance();
                    (unchanged, seen) = (0, queue.Progress);
                }
                bool nowStuck = unchanged > StuckRounds * _parked.Count;
                if (nowStuck != isStuck) queue.SetStuck(isStuck = nowStuck);
                if (nowStuck && unchanged > 2 * StuckRounds * _parked.Count && queue.AllStuck) throw current.Spinning();
                if (nowStuck) Thread.Yield();
            }
            if (isStuck) queue.SetStuck(false);
        }
        catch (Exception e)
        {
            queue.Fail(current?.Block ?? 0, e is FaultException fault ? FaultReport.Keep(fault) : e);
        }
        finally
        {
            foreach (ClusterRunner runner in _runners)
            {
                Executed += runner.Executed;
                runner.Unbind();
            }
            _free.Clear();
            _parked.Clear();
            queue.Leave();
        }
    }

    private ClusterRunner Idle(LaunchInfo launch)
    {
        if (_free.TryPop(out ClusterRunner? runner)) return runner;
        int next = 0;
        while (next < _runners.Count && _runners[next].IsBound) next++;
        if (next == _runners.Count) _runners.Add(new ClusterRunner(heap, multiprocessor, multiprocessors));
        _runners[next].Bind(launch);
        return _runners[next];
    }

    public void Dispose()
    {
        foreach (ClusterRunner runner in _runners) runner.Dispose();
    }
}
