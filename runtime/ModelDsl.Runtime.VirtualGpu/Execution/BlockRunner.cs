using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>What came of giving the warps of a block their turns.</summary>
[Flags]
internal enum Progress
{
    None = 0,

    /// <summary>Something was executed.</summary>
    Made = 1,

    /// <summary>Threads are left.</summary>
    Alive = 2,

    /// <summary>A warp has used up its turn in a loop.</summary>
    Loops = 4,
}

/// <summary>A block that runs, with its own registers, shared and local memory.</summary>
internal sealed unsafe class BlockRunner(DeviceHeap heap, int multiprocessor, int multiprocessors) : IDisposable
{
    private const int MaxSplits = 32;

    private readonly NativeBuffer _registers = new(), _shared = new(), _local = new(), _parameters = new();
    private readonly NativeBuffer _warps = new(), _splits = new(), _barriers = new(), _block = new();
    private readonly NativeBuffer _counts = new(), _matrix = new(), _scratch = new();
    private DecodedKernel? _kernel;
    private Dim3 _grid, _dimensions, _cluster;
    private int _sharedBytes = -1;
    private LaunchInfo _launch = null!;
    private BlockChecker? _checker;

    /// <summary>Number of the block that runs.</summary>
    public long Block { get; private set; }

    /// <summary>Threads are left that have not exited.</summary>
    public bool IsAlive { get; private set; }

    /// <summary>Makes registers and memory ready for the blocks of a launch.</summary>
    public BlockState* Bind(LaunchInfo launch, Cluster* cluster, int rank)
    {
        DecodedKernel kernel = launch.Kernel;
        _launch = launch;
        int warps = launch.Warps;
        BlockState* block = (BlockState*)_block.Ensure(sizeof(BlockState));
        Warp* warp = (Warp*)_warps.Ensure(warps * sizeof(Warp));
        Split* splits = (Split*)_splits.Ensure(warps * MaxSplits * sizeof(Split));
        BlockBarrier* barriers = (BlockBarrier*)_barriers.Ensure(BlockBarrier.Count * sizeof(BlockBarrier) + Warpgroup.MostInBlock * sizeof(Warpgroup));
        MemoryRange* ranges = kernel.Ranges(multiprocessor, heap.Version);
        byte* parameters = _parameters.Ensure((int)kernel.ParameterBytes + 8);
        launch.Parameters.CopyTo(new Span<byte>(parameters, launch.Parameters.Length));

        byte* old = _registers.Pointer, registers = _registers.Ensure((long)warps * kernel.RegisterBytes);
        byte* local = _local.Ensure((long)warps * 32 * kernel.LocalBytes + 1);
        if (launch.Mix != null) new Span<byte>(_counts.Ensure((long)kernel.InstructionCount * sizeof(ulong)), kernel.InstructionCount * sizeof(ulong)).Clear();
        *block = new BlockState
        {
            Code = kernel.Code,
            Counts = launch.Mix != null ? (ulong*)_counts.Pointer : null,
            Shared = _shared.Ensure(launch.SharedBytes + 1),
            SharedBytes = launch.SharedBytes,
            LocalBytes = kernel.LocalBytes,
            Warps = warps,
            FirstWarp = warp,
            Barriers = barriers,
            Parameters = parameters,
            ParameterBytes = kernel.ParameterBytes,
            Heap = heap.Table,
            Matrix = (Instructions.WidenedMatrix*)_matrix.Ensure(sizeof(Instructions.WidenedMatrix)),
            Fp8SumBits = launch.Fp8SumBits,
            Cluster = cluster,
            Rank = rank,
            Warpgroups = (Warpgroup*)(barriers + BlockBarrier.Count),
            Scratch = _scratch.Ensure(BlockState.ScratchBytes),
        };
        for (int w = 0; w < warps; w++)
        {
            warp[w] = new Warp
            {
                Registers = registers + (long)w * kernel.RegisterBytes,
                Block = block,
                Ranges = ranges,
                Local = local + (long)w * 32 * kernel.LocalBytes,
                Splits = splits + w * MaxSplits,
                Index = w,
            };
        }
        if (kernel.Checks != VirtualGpuChecks.None)
        {
            _checker ??= new BlockChecker(heap.Shadow!);
            block->Checker = _checker.Handle;
            _checker.Bind(launch, block);
        }
        if (old == registers && _kernel == kernel && _grid == launch.Grid && _dimensions == launch.Block && _sharedBytes == launch.DynamicSharedBytes && _cluster == launch.Cluster) return block;
        (_kernel, _grid, _dimensions, _sharedBytes, _cluster) = (kernel, launch.Grid, launch.Block, launch.DynamicSharedBytes, launch.Cluster);
        for (int w = 0; w < warps; w++) RowSetup.Initialise(warp + w, launch, multiprocessor, multiprocessors);
        return block;
    }

    /// <summary>After the last block of a launch.</summary>
    public void Unbind()
    {
        if (_launch.Mix is not { } mix) return;
        ulong* counts = (ulong*)_counts.Pointer;
        lock (mix)
            for (int i = 0; i < _launch.Kernel.InstructionCount; i++) mix[(int)_launch.Kernel.Classes[i]] += counts[i];
    }

    /// <summary>Puts all threads of a block at the kernel's first instruction.</summary>
    public void Start(long index)
    {
        BlockState* block = (BlockState*)_block.Pointer;
        var (x, y, z) = _launch.BlockAt(index);
        (block->BlockX, block->BlockY, block->BlockZ) = (x, y, z);
        (Block, IsAlive) = (index, true);
        (block->Number, block->HasExited) = (index, false);
        new Span<byte>(block->Barriers, BlockBarrier.Count * sizeof(BlockBarrier) + Warpgroup.MostInBlock * sizeof(Warpgroup)).Clear();
        int threads = (int)_launch.Block.Count;
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            int lanes = Math.Min(32, threads - 32 * w);
            warp->Alive = lanes == 32 ? Lanes.All : (1u << lanes) - 1;
            warp->SplitCount = 1;
            (warp->AtCluster, warp->AwaitedBarrier) = (0, 0);
            (warp->Turn, warp->Turns, warp->Rotate) = (WarpScheduler.TurnBranches, _launch.BranchBudget / WarpScheduler.TurnBranches, false);
            *warp->Splits = new Split { Next = _launch.Kernel.Start, Mask = warp->Alive };
            RowSetup.PlaceBlock(warp, _launch, block);
        }
        _checker?.Begin(index);
    }

    /// <summary>Gives each warp a turn.</summary>
    /// <exception cref="FaultException">The kernel did something it must not.</exception>
    public Progress Run()
    {
        if (!IsAlive) return Progress.None;
        BlockState* block = (BlockState*)_block.Pointer;
        bool counts = block->Counts != null, isAlive = false;
        Progress progress = Progress.None;
        Warp* warp = null;
        try
        {
            for (int w = 0; w < block->Warps; w++)
            {
                warp = block->FirstWarp + w;
                if (warp->SplitCount == 0) continue;
                long turns = warp->Turns;
                if (counts ? WarpScheduler.Run<Counting>(warp) : WarpScheduler.Run<NotCounting>(warp)) progress |= Progress.Made;
                if (warp->Turns != turns) progress |= Progress.Loops;
                isAlive |= warp->SplitCount > 0;
            }
        }
        catch (FaultException fault)
        {
            fault.Warp = warp;
            throw;
        }
        block->HasExited = !(IsAlive = isAlive);
        return isAlive ? progress | Progress.Alive : progress;
    }

    /// <summary>After the block's last thread has exited: how many warp instructions that took.</summary>
    public ulong Finish()
    {
        BlockState* block = (BlockState*)_block.Pointer;
        ulong executed = 0;
        for (int w = 0; w < block->Warps; w++)
        {
            executed += block->FirstWarp[w].Executed;
            block->FirstWarp[w].Executed = 0;
        }
        _checker?.End();
        return executed;
    }

    /// <summary>The fault of a block that spins and will do so for ever; null where none of its warps runs.</summary>
    public FaultException? Spinning()
    {
        BlockState* block = (BlockState*)_block.Pointer;
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            for (int s = 0; s < warp->SplitCount; s++)
                if (warp->Splits[s].State == SplitState.Ready) return Deadlock.Spinning(warp, warp->Splits + s);
        }
        return null;
    }

    /// <summary>The fault of a block whose threads all wait.</summary>
    public FaultException Stuck()
    {
        FaultException fault = Deadlock.Explain((BlockState*)_block.Pointer, out Warp* warp);
        fault.Warp = warp;
        return fault;
    }

    public void Dispose()
    {
        _checker?.Dispose();
        foreach (NativeBuffer buffer in (NativeBuffer[])[_registers, _shared, _local, _parameters, _warps, _splits, _barriers, _block, _counts, _matrix, _scratch]) buffer.Dispose();
    }
}

/// <summary>Native memory that grows to what is asked for, aligned to a cache line. It is zero, and costs nothing until it is touched.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const int Alignment = 64;
    private void* _block;
    private long _bytes;

    public byte* Pointer { get; private set; }

    public byte* Ensure(long bytes)
    {
        if (bytes <= _bytes) return Pointer;
        NativeMemory.Free(_block);
        _block = NativeMemory.AllocZeroed((nuint)bytes + Alignment);
        Pointer = (byte*)(((nint)_block + Alignment - 1) & -Alignment);
        _bytes = bytes;
        return Pointer;
    }

    public void Dispose()
    {
        NativeMemory.Free(_block);
        _block = null;
        Pointer = null;
        _bytes = 0;
    }
}
