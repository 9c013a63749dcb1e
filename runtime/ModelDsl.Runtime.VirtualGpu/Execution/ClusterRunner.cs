using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

internal enum ClusterOutcome
{
    Finished,

    /// <summary>It loops, and has done something since it was last left.</summary>
    Spins,

    /// <summary>It loops, and is what it was when it was last left.</summary>
    Unchanged,
}

/// <summary>Runs the blocks of a cluster in turn, warp by warp; without clusters that is one block.</summary>
internal sealed unsafe class ClusterRunner(DeviceHeap heap, int multiprocessor, int multiprocessors) : IDisposable
{
    private readonly NativeBuffer _state = new();
    private readonly List<BlockRunner> _blocks = [];
    private readonly SpinWatch _spin = new();
    private LaunchInfo _launch = null!;
    private int _current;

    /// <summary>Warp instructions run since <see cref="Bind"/>.</summary>
    public ulong Executed { get; private set; }

    /// <summary>Number of the block that runs.</summary>
    public long Block => _blocks[_current].Block;

    public bool IsBound { get; private set; }

    private Cluster* State => (Cluster*)_state.Pointer;

    /// <summary>Makes registers and memory ready for the clusters of a launch.</summary>
    public void Bind(LaunchInfo launch)
    {
        _launch = launch;
        (IsBound, Executed) = (true, 0);
        Cluster* cluster = (Cluster*)_state.Ensure(sizeof(Cluster));
        *cluster = new Cluster { Count = (int)launch.Cluster.Count };
        while (_blocks.Count < cluster->Count) _blocks.Add(new BlockRunner(heap, multiprocessor, multiprocessors));
        for (int rank = 0; rank < cluster->Count; rank++) cluster->Blocks[rank] = (ulong)_blocks[rank].Bind(launch, cluster, rank);
    }

    /// <summary>After the last cluster of a launch.</summary>
    public void Unbind()
    {
        bool wasBound = IsBound;
        // Or a launch that does not need this runner would count what the last one did.
        (IsBound, Executed) = (false, 0);
        if (!wasBound) return;
        for (int rank = 0; rank < State->Count; rank++) _blocks[rank].Unbind();
    }

    /// <summary>Puts all threads of a cluster at the kernel's first instruction.</summary>
    public void Start(long index)
    {
        _spin.Reset();
        (_current, State->Events) = (0, 0);
        for (int rank = 0; rank < State->Count; rank++) _blocks[rank].Start(_launch.BlockOf(index, rank));
    }

    /// <summary>Runs until the cluster is done or spins.</summary>
    /// <exception cref="FaultException">The kernel did something it must not.</exception>
    public ClusterOutcome Resume()
    {
        bool hasSpun = _spin.HasSpun, isFirst = true;
        while (true)
        {
            Progress progress = Progress.None;
            for (_current = 0; _current < State->Count; _current++) progress |= _blocks[_current].Run();
            _current = 0;
            if ((progress & Progress.Alive) == 0) break;
            if ((progress & Progress.Made) == 0) throw Stuck();
            if ((progress & Progress.Loops) != 0 && _spin.IsSpinning(State, _launch.Kernel.RegisterBytes)) return hasSpun && isFirst ? ClusterOutcome.Unchanged : ClusterOutcome.Spins;
            isFirst = false;
        }
        for (int rank = 0; rank < State->Count; rank++) Executed += _blocks[rank].Finish();
        return ClusterOutcome.Finished;
    }

    /// <summary>The fault of a cluster that spins and will do so for ever.</summary>
    public FaultException Spinning()
    {
        for (_current = 0; _current < State->Count; _current++)
            if (_blocks[_current].Spinning() is { } fault) return fault;
        _current = 0;
        return Stuck();
    }

    public void Dispose()
    {
        foreach (BlockRunner block in _blocks) block.Dispose();
        _state.Dispose();
    }

    private FaultException Stuck()
    {
        while (_current < State->Count - 1 && !_blocks[_current].IsAlive) _current++;
        return _blocks[_current].Stuck();
    }
}
