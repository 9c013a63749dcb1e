namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>What a warp waits for.</summary>
internal enum SplitState
{
    Ready,

    /// <summary>At a barrier; <see cref="Split.Barrier"/> says which.</summary>
    Barrier,

    /// <summary>At a <c>.sync</c> instruction until the other threads named in its mask come there too.</summary>
    Convergence,
}

/// <summary>Threads of a warp that are at the same instruction.</summary>
internal unsafe struct Split
{
    public Instr* Next;
    public uint Mask;
    public SplitState State;
    public int Barrier;

    /// <summary>When it last ended a turn, counted in turns of the warp; zero for never.</summary>
    public int LastTurn;
}

/// <summary>The allocation an instruction found its last address in.</summary>
internal struct MemoryRange
{
    /// <summary>First device address.</summary>
    public ulong Start;
    public ulong Length;

    /// <summary>What to add to a device address to get a host pointer.</summary>
    public long ToHost;
}

/// <summary>32 threads in step: registers, where they are, who is active. Lives in native memory.</summary>
internal unsafe struct Warp
{
    /// <summary>Returned by a handler that has put the splits in order itself.</summary>
    public static Instr* Yield => (Instr*)nuint.MaxValue;

    /// <summary>Rows of 32 lanes: 128 bytes for up to 32 bits, 256 for 64 bits, 4 bytes for a predicate.</summary>
    public byte* Registers;
    public BlockState* Block;
    public MemoryRange* Ranges;
    public byte* Local;

    /// <summary>Lanes of the split that runs now.</summary>
    public uint Active;

    /// <summary>Lanes that have not exited.</summary>
    public uint Alive;

    /// <summary>Index of the running split in <see cref="Splits"/>.</summary>
    public int Current;
    public int SplitCount;
    public Split* Splits;
    public int Index;

    /// <summary>Instructions run.</summary>
    public ulong Executed;

    /// <summary>Backward branches left before others get their turn; see <see cref="WarpScheduler.EndTurn"/>.</summary>
    public int Turn;

    /// <summary>Turns left before the warp counts as stuck.</summary>
    public long Turns;

    /// <summary>The next turn goes to the split that has had none for longest: the one that loops may be waiting for it.</summary>
    public bool Rotate;
    public int TurnNumber;

    /// <summary>Lanes that have arrived at the cluster's barrier since it last opened.</summary>
    public uint AtCluster;

    /// <summary>The mbarrier that was last found closed, as its offset in shared memory plus one; zero for none.</summary>
    public uint AwaitedBarrier;
}

/// <summary>State of a block that its warps share.</summary>
internal unsafe struct BlockState
{
    public byte* Shared;
    public uint SharedBytes;
    public uint LocalBytes;
    public int BlockX, BlockY, BlockZ;
    public int Warps;
    public Warp* FirstWarp;
    public BlockBarrier* Barriers;
    public byte* Parameters;
    public uint ParameterBytes;

    /// <summary>Handle of the <see cref="Checking.BlockChecker"/>; zero where nothing is checked.</summary>
    public nint Checker;

    /// <summary>Where an address is looked up that no cached range holds.</summary>
    public Memory.AllocationTable* Heap;

    /// <summary>The operand that the last <c>mma.sync</c> widened.</summary>
    public Instructions.WidenedMatrix* Matrix;

    /// <summary>The kernel's first instruction.</summary>
    public Instr* Code;

    /// <summary>How often each instruction has been executed; null where nobody counts.</summary>
    public ulong* Counts;

    public Cluster* Cluster;

    /// <summary>The block's number in its cluster.</summary>
    public int Rank;

    /// <summary>The block's number in the grid.</summary>
    public long Number;

    /// <summary>Its last thread is gone, and with it what others may read of its shared memory.</summary>
    public bool HasExited;
    public Warpgroup* Warpgroups;

    /// <summary>See <see cref="VirtualDeviceOptions.Fp8SumBits"/>.</summary>
    public int Fp8SumBits;

    /// <summary>Room for an instruction's intermediate results, <see cref="ScratchBytes"/> of it.</summary>
    public byte* Scratch;

    public const int ScratchBytes = 64 * 1024;
}
