using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Spreads the blocks of a launch over the worker threads. A launch that is done sooner than a thread wakes runs where it is called.</summary>
internal sealed unsafe class Launcher : IDisposable
{
    private readonly DeviceHeap _heap;
    private readonly BlockRunner[] _runners;
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _work = new(0);
    private LaunchInfo _launch = null!;

    /// <summary>Places for helpers in the launch that runs. Whoever wakes when they are gone goes back to sleep.</summary>
    private int _places;
    private int _finished;
    private long _next;
    private long _failedBlock;
    private Exception? _failure;
    private volatile bool _disposed;

    public Launcher(DeviceHeap heap, int workers)
    {
        _heap = heap;
        _runners = new BlockRunner[workers];
        for (int i = 0; i < workers; i++) _runners[i] = new BlockRunner(heap, i, workers);
        _threads = new Thread[workers - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            BlockRunner runner = _runners[i + 1];
            _threads[i] = new Thread(() => Serve(runner)) { IsBackground = true, Name = "virtual GPU" };
        }
    }

    /// <summary>Runs all blocks and returns the number of warp instructions.</summary>
    /// <exception cref="DeviceException">The kernel faulted; the fault of the first such block is reported.</exception>
    public ulong Run(LaunchInfo launch, bool isShort)
    {
        _launch = launch;
        _next = 0;
        _failure = null;
        _failedBlock = long.MaxValue;
        foreach (BlockRunner runner in _runners) runner.Reset();
        int helpers = isShort || launch.Kernel.IsOrderDependent ? 0 : (int)Math.Min(_threads.Length, launch.Blocks - 1);
        if (helpers > 0)
        {
            foreach (Thread thread in _threads)
                if (thread.ThreadState.HasFlag(ThreadState.Unstarted)) thread.Start();
            _finished = 0;
            Volatile.Write(ref _places, helpers);
            _work.Release(helpers);
        }
        Work(_runners[0]);
        if (helpers > 0) AwaitHelpers(helpers);
        if (_failure != null) throw FaultReport.Describe(_failure, launch, _failedBlock, _heap);
        ulong executed = 0;
        foreach (BlockRunner runner in _runners) executed += runner.Executed;
        return executed;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _work.Release(Math.Max(1, _threads.Length));
        foreach (Thread thread in _threads)
            if (!thread.ThreadState.HasFlag(ThreadState.Unstarted)) thread.Join();
        foreach (BlockRunner runner in _runners) runner.Dispose();
        _work.Dispose();
    }

    private void Serve(BlockRunner runner)
    {
        while (true)
        {
            _work.Wait();
            if (_disposed) return;
            int places = Volatile.Read(ref _places);
            while (places > 0 && Interlocked.CompareExchange(ref _places, places - 1, places) is var seen && seen != places) places = seen;
            if (places <= 0) continue;
            Work(runner);
            Interlocked.Increment(ref _finished);
        }
    }

    /// <summary>Waits for the helpers that have joined; those still asleep are too late, all blocks being taken.</summary>
    private void AwaitHelpers(int helpers)
    {
        int joined = helpers - Interlocked.Exchange(ref _places, 0);
        var spin = new SpinWait();
        while (Volatile.Read(ref _finished) < joined) spin.SpinOnce(sleep1Threshold: -1);
    }

    private void Work(BlockRunner runner)
    {
        LaunchInfo launch = _launch;
        long block = -1, blocks = launch.Blocks;
        try
        {
            runner.Bind(launch);
            while ((block = Interlocked.Increment(ref _next) - 1) < blocks && Volatile.Read(ref _failure) == null) runner.Run(block);
        }
        catch (Exception e)
        {
            lock (_runners)
            {
                if (block >= _failedBlock) return;
                _failedBlock = block;
                _failure = e is FaultException fault ? FaultReport.Keep(fault) : e;
            }
        }
    }
}
