namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>The clusters of a launch (mostly of one block), which workers take one after the other, and how far all have come.</summary>
internal sealed class BlockQueue
{
    private long _next, _clusters;
    private int _working, _stuck;
    private long _progress;
    private Exception? _failure;

    /// <summary>What went wrong in the first block in which something did; null if nothing.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    public long FailedBlock { get; private set; }

    public void Begin(long clusters)
    {
        (_next, _clusters, _working, _stuck) = (0, clusters, 0, 0);
        (_failure, FailedBlock) = (null, long.MaxValue);
    }

    public bool TryTake(out long cluster)
    {
        cluster = Interlocked.Increment(ref _next) - 1;
        return cluster < _clusters;
    }

    /// <summary>A fault in an earlier block is the one that counts: which comes first in time depends on the number of workers.</summary>
    public void Fail(long block, Exception failure)
    {
        lock (this)
        {
            if (block >= FailedBlock) return;
            FailedBlock = block;
            Volatile.Write(ref _failure, failure);
        }
    }

    /// <summary>A worker starts or ends its part of the launch.</summary>
    public void Enter() => Interlocked.Increment(ref _working);

    public void Leave() => Interlocked.Decrement(ref _working);

    /// <summary>Something has changed that others may be waiting for.</summary>
    public void Advance() => Interlocked.Increment(ref _progress);

    public long Progress => Volatile.Read(ref _progress);

    /// <summary>A worker has only blocks that loop without a change, or has something to do again.</summary>
    public void SetStuck(bool isStuck) => Interlocked.Add(ref _stuck, isStuck ? 1 : -1);

    public bool AllStuck => Volatile.Read(ref _stuck) >= Volatile.Read(ref _working);
}
