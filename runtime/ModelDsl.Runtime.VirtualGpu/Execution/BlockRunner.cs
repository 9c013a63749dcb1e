using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Runs blocks one after the other on one thread, with its own registers, shared and local memory.</summary>
internal sealed unsafe class BlockRunner(DeviceHeap heap, int multiprocessor, int multiprocessors) : IDisposable
{
    private const int MaxSplits = 32;

    private readonly NativeBuffer _registers = new(), _shared = new(), _local = new(), _parameters = new();
    private readonly NativeBuffer _warps = new(), _splits = new(), _barriers = new(), _block = new();
    private DecodedKernel? _kernel;
    private Dim3 _grid, _dimensions;
    private int _sharedBytes = -1;
    private LaunchInfo _launch = null!;

    /// <summary>Warp instructions run since the last <see cref="Reset"/>.</summary>
    public ulong Executed { get; private set; }

    /// <summary>Makes registers and memory ready for the blocks of a launch.</summary>
    public void Bind(LaunchInfo launch)
    {
        DecodedKernel kernel = launch.Kernel;
        _launch = launch;
        int warps = launch.Warps;
        BlockState* block = (BlockState*)_block.Ensure(sizeof(BlockState));
        Warp* warp = (Warp*)_warps.Ensure(warps * sizeof(Warp));
        Split* splits = (Split*)_splits.Ensure(warps * MaxSplits * sizeof(Split));
        BlockBarrier* barriers = (BlockBarrier*)_barriers.Ensure(BlockBarrier.Count * sizeof(BlockBarrier));
        MemoryRange* ranges = kernel.Ranges(multiprocessor, heap.Version);
        byte* parameters = _parameters.Ensure((int)kernel.ParameterBytes + 8);
        for (int i = 0; i < launch.Parameters.Length; i++)
        {
            var parameter = kernel.Function.Parameters[i];
            ulong bits = launch.Parameters[i];
            Buffer.MemoryCopy(&bits, parameters + parameter.Address, parameter.Bytes, parameter.Bytes);
        }

        byte* old = _registers.Pointer, registers = _registers.Ensure((long)warps * kernel.RegisterBytes);
        byte* local = _local.Ensure((long)warps * 32 * kernel.LocalBytes + 1);
        *block = new BlockState
        {
            Shared = _shared.Ensure(launch.SharedBytes + 1),
            SharedBytes = launch.SharedBytes,
            LocalBytes = kernel.LocalBytes,
            Warps = warps,
            FirstWarp = warp,
            Barriers = barriers,
            Parameters = parameters,
            ParameterBytes = kernel.ParameterBytes,
            Heap = heap.Table,
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
        if (old == registers && _kernel == kernel && _grid == launch.Grid && _dimensions == launch.Block && _sharedBytes == launch.DynamicSharedBytes) return;
        (_kernel, _grid, _dimensions, _sharedBytes) = (kernel, launch.Grid, launch.Block, launch.DynamicSharedBytes);
        for (int w = 0; w < warps; w++) RowSetup.Initialise(warp + w, launch, multiprocessor, multiprocessors);
    }

    /// <summary>Forgets what was counted.</summary>
    public void Reset() => Executed = 0;

    /// <exception cref="FaultException">The kernel did something it must not.</exception>
    public void Run(long index)
    {
        BlockState* block = (BlockState*)_block.Pointer;
        Dim3 grid = _launch.Grid;
        block->BlockX = (int)(index % grid.X);
        block->BlockY = (int)(index / grid.X % grid.Y);
        block->BlockZ = (int)(index / ((long)grid.X * grid.Y));
        new Span<byte>(block->Barriers, BlockBarrier.Count * sizeof(BlockBarrier)).Clear();
        int threads = (int)_launch.Block.Count;
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            int lanes = Math.Min(32, threads - 32 * w);
            warp->Alive = lanes == 32 ? Lanes.All : (1u << lanes) - 1;
            warp->SplitCount = 1;
            (warp->Turn, warp->Turns, warp->Rotate) = (WarpScheduler.TurnBranches, _launch.BranchBudget / WarpScheduler.TurnBranches, false);
            *warp->Splits = new Split { Next = _launch.Kernel.Code, Mask = warp->Alive };
            RowSetup.PlaceBlock(warp, _launch.Kernel, block);
        }
        RunWarps(block);
        for (int w = 0; w < block->Warps; w++)
        {
            Executed += block->FirstWarp[w].Executed;
            block->FirstWarp[w].Executed = 0;
        }
    }

    private static void RunWarps(BlockState* block)
    {
        Warp* warp = null;
        try
        {
            while (true)
            {
                bool progress = false, alive = false;
                for (int w = 0; w < block->Warps; w++)
                {
                    warp = block->FirstWarp + w;
                    if (warp->SplitCount == 0) continue;
                    progress |= WarpScheduler.Run(warp);
                    alive |= warp->SplitCount > 0;
                }
                if (!alive) return;
                if (!progress) throw Deadlock(block, out warp);
            }
        }
        catch (FaultException fault)
        {
            fault.Warp = warp;
            throw;
        }
    }

    private static FaultException Deadlock(BlockState* block, out Warp* stuck)
    {
        stuck = null;
        int waiting = 0, exited = 0;
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            if (warp->SplitCount == 0) exited++;
            else waiting++;
            if (warp->SplitCount > 0 && stuck == null) stuck = warp;
        }
        Split* split = stuck->Splits;
        bool atBarrier = split->State == SplitState.Barrier;
        string what = atBarrier
            ? $"deadlock: these threads wait at barrier {split->Barrier} for others that never come"
            : "deadlock: these threads wait for others of their warp that are named in the instruction's mask and never come";
        return new FaultException(FindingKind.Deadlock, $"{what} ({waiting} warps wait, {exited} have exited, lanes 0x{split->Mask:x8} of warp {stuck->Index} are here)", atBarrier ? split->Next - 1 : split->Next, System.Numerics.BitOperations.TrailingZeroCount(split->Mask));
    }

    public void Dispose()
    {
        foreach (NativeBuffer buffer in (NativeBuffer[])[_registers, _shared, _local, _parameters, _warps, _splits, _barriers, _block]) buffer.Dispose();
    }
}

/// <summary>Native memory that grows to what is asked for, aligned to a cache line.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private long _bytes;

    public byte* Pointer { get; private set; }

    public byte* Ensure(long bytes)
    {
        if (bytes <= _bytes) return Pointer;
        NativeMemory.AlignedFree(Pointer);
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(Pointer, checked((int)bytes)).Clear();
        _bytes = bytes;
        return Pointer;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        _bytes = 0;
    }
}
