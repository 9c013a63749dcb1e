using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Spreads the blocks of a launch over the worker threads. A launch that is done sooner than a thread wakes runs where it is called.</summary>
internal sealed unsafe class Launcher : IDisposable
{
    private readonly DeviceHeap _heap;
    private readonly BlockWorker[] _workers;
    private readonly Thread[] _threads;
    private readonly BlockQueue _queue = new();
    private readonly SemaphoreSlim _work = new(0);
    private LaunchInfo _launch = null!;

    /// <summary>Places for helpers in the launch that runs. Whoever wakes when they are gone goes back to sleep.</summary>
    private int _places;
    private int _finished;
    private volatile bool _disposed;

    public Launcher(DeviceHeap heap, int workers)
    {
        _heap = heap;
        _workers = new BlockWorker[workers];
        for (int i = 0; i < workers; i++) _workers[i] = new BlockWorker(heap, i, workers);
        _threads = new Thread[workers - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            BlockWorker worker = _workers[i + 1];
            _threads[i] = new Thread(() => Serve(worker)) { IsBackground = true, Name = "virtual GPU" };
        }
    }

    /// <summary>Runs all blocks and returns the number of warp instructions.</summary>
    /// <exception cref="DeviceException">The kernel faulted; the fault of the first such block is reported.</exception>
    public ulong Run(LaunchInfo launch, bool isShort)
    {
        _launch = launch;
        _queue.Begin(launch.Clusters);
        foreach (BlockWorker worker in _workers) worker.Reset();
        bool isChecked = launch.Kernel.Checks != VirtualGpuChecks.None;
        if (isChecked) _heap.Shadow!.Log.Begin(launch.Kernel);
        int helpers = isShort || isChecked || launch.Kernel.IsOrderDependent ? 0 : (int)Math.Min(_threads.Length, launch.Clusters - 1);
        if (helpers > 0)
        {
            foreach (Thread thread in _threads)
                if (thread.ThreadState.HasFlag(ThreadState.Unstarted)) thread.Start();
            _finished = 0;
            Volatile.Write(ref _places, helpers);
            _work.Release(helpers);
        }
        _workers[0].Work(launch, _queue);
        if (helpers > 0) AwaitHelpers(helpers);
        if (isChecked) _heap.Shadow!.Log.End(launch.Findings!);
        if (_queue.Failure is { } failure) throw FaultReport.Describe(failure, launch, _queue.FailedBlock, _heap);
        ulong executed = 0;
        foreach (BlockWorker worker in _workers) executed += worker.Executed;
        return executed;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _work.Release(Math.Max(1, _threads.Length));
        foreach (Thread thread in _threads)
            if (!thread.ThreadState.HasFlag(ThreadState.Unstarted)) thread.Join();
        foreach (BlockWorker worker in _workers) worker.Dispose();
        _work.Dispose();
    }

    private void Serve(BlockWorker worker)
    {
        while (true)
        {
            _work.Wait();
            if (_disposed) return;
            int places = Volatile.Read(ref _places);
            while (places > 0 && Interlocked.CompareExchange(ref _places, places - 1, places) is var seen && seen != places) places = seen;
            if (places <= 0) continue;
            worker.Work(_launch, _queue);
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
}
