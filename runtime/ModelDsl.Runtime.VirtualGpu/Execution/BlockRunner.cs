using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

internal enum BlockOutcome
{
    Finished,

    /// <summary>It loops, and has done something since it was last left.</summary>
    Spins,

    /// <summary>It loops, and is what it was when it was last left.</summary>
    Unchanged,
}

/// <summary>Runs a block at a time, with its own registers, shared and local memory.</summary>
internal sealed unsafe class BlockRunner(DeviceHeap heap, int multiprocessor, int multiprocessors) : IDisposable
{
    private const int MaxSplits = 32;

    private readonly NativeBuffer _registers = new(), _shared = new(), _local = new(), _parameters = new();
    private readonly NativeBuffer _warps = new(), _splits = new(), _barriers = new(), _block = new();
    private readonly NativeBuffer _counts = new(), _matrix = new();
    private DecodedKernel? _kernel;
    private Dim3 _grid, _dimensions;
    private int _sharedBytes = -1;
    private LaunchInfo _launch = null!;
    private BlockChecker? _checker;
    private readonly SpinWatch _spin = new();

    /// <summary>Warp instructions run since <see cref="Bind"/>.</summary>
    public ulong Executed { get; private set; }

    /// <summary>Number of the block that runs.</summary>
    public long Block { get; private set; }

    public bool IsBound { get; private set; }

    /// <summary>Makes registers and memory ready for the blocks of a launch.</summary>
    public void Bind(LaunchInfo launch)
    {
        DecodedKernel kernel = launch.Kernel;
        _launch = launch;
        (IsBound, Executed) = (true, 0);
        int warps = launch.Warps;
        BlockState* block = (BlockState*)_block.Ensure(sizeof(BlockState));
        Warp* warp = (Warp*)_warps.Ensure(warps * sizeof(Warp));
        Split* splits = (Split*)_splits.Ensure(warps * MaxSplits * sizeof(Split));
        BlockBarrier* barriers = (BlockBarrier*)_barriers.Ensure(BlockBarrier.Count * sizeof(BlockBarrier));
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
        if (old == registers && _kernel == kernel && _grid == launch.Grid && _dimensions == launch.Block && _sharedBytes == launch.DynamicSharedBytes) return;
        (_kernel, _grid, _dimensions, _sharedBytes) = (kernel, launch.Grid, launch.Block, launch.DynamicSharedBytes);
        for (int w = 0; w < warps; w++) RowSetup.Initialise(warp + w, launch, multiprocessor, multiprocessors);
    }

    /// <summary>After the last block of a launch.</summary>
    public void Unbind()
    {
        bool wasBound = IsBound;
        // Or a launch that does not need this runner would count what the last one did.
        (IsBound, Executed) = (false, 0);
        if (!wasBound || _launch.Mix is not { } mix) return;
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
        Block = index;
        _spin.Reset();
        new Span<byte>(block->Barriers, BlockBarrier.Count * sizeof(BlockBarrier)).Clear();
        int threads = (int)_launch.Block.Count;
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            int lanes = Math.Min(32, threads - 32 * w);
            warp->Alive = lanes == 32 ? Lanes.All : (1u << lanes) - 1;
            warp->SplitCount = 1;
            (warp->Turn, warp->Turns, warp->Rotate) = (WarpScheduler.TurnBranches, _launch.BranchBudget / WarpScheduler.TurnBranches, false);
            *warp->Splits = new Split { Next = _launch.Kernel.Start, Mask = warp->Alive };
            RowSetup.PlaceBlock(warp, _launch.Kernel, block);
        }
        _checker?.Begin(index);
    }

    /// <summary>Runs until the block is done or spins.</summary>
    /// <exception cref="FaultException">The kernel did something it must not.</exception>
    public BlockOutcome Resume()
    {
        BlockState* block = (BlockState*)_block.Pointer;
        bool hasSpun = _spin.HasSpun, isFirst = true;
        Warp* warp = null;
        bool counts = block->Counts != null;
        try
        {
            while (true)
            {
                bool progress = false, alive = false, loops = false;
                for (int w = 0; w < block->Warps; w++)
                {
                    warp = block->FirstWarp + w;
                    if (warp->SplitCount == 0) continue;
                    long turns = warp->Turns;
                    progress |= counts ? WarpScheduler.Run<Counting>(warp) : WarpScheduler.Run<NotCounting>(warp);
                    loops |= warp->Turns != turns;
                    alive |= warp->SplitCount > 0;
                }
                if (!alive) break;
                if (!progress) throw Deadlock.Explain(block, out warp);
                if (loops && _spin.IsSpinning(block, _launch.Kernel.RegisterBytes)) return hasSpun && isFirst ? BlockOutcome.Unchanged : BlockOutcome.Spins;
                isFirst = false;
            }
        }
        catch (FaultException fault)
        {
            fault.Warp = warp;
            throw;
        }
        for (int w = 0; w < block->Warps; w++)
        {
            Executed += block->FirstWarp[w].Executed;
            block->FirstWarp[w].Executed = 0;
        }
        _checker?.End();
        return BlockOutcome.Finished;
    }

    /// <summary>The fault of a block that spins and will do so for ever.</summary>
    public FaultException Spinning()
    {
        BlockState* block = (BlockState*)_block.Pointer;
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            for (int s = 0; s < warp->SplitCount; s++)
            {
                if (warp->Splits[s].State != SplitState.Ready) continue;
                string lanes = Checking.CheckContext.Lanes(warp->Splits[s].Mask);
                return new FaultException(
                    FindingKind.EndlessLoop, $"the kernel seems to loop forever: {lanes} of warp {w} wait here for a change, and no thread is left that could bring it about",
                    warp->Splits[s].Next, System.Numerics.BitOperations.TrailingZeroCount(warp->Splits[s].Mask)) { Warp = warp };
            }
        }
        return Deadlock.Explain(block, out _);
    }

    public void Dispose()
    {
        _checker?.Dispose();
        foreach (NativeBuffer buffer in (NativeBuffer[])[_registers, _shared, _local, _parameters, _warps, _splits, _barriers, _block, _counts, _matrix]) buffer.Dispose();
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
