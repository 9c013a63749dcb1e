using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>What an instruction is to the checks.</summary>
internal enum SiteKind
{
    /// <summary>Reads and writes registers only.</summary>
    Plain,
    Load, Store, Atomic,

    /// <summary><c>cp.async</c>: to the first address from the second.</summary>
    AsyncCopy,

    /// <summary><c>cp.async.bulk</c>: its first address is in shared memory, the second in global; with a third one it goes to shared.</summary>
    BulkCopy,
    AsyncCommit, AsyncWait,

    /// <summary><c>cp.async.bulk.commit_group</c> and <c>wait_group</c>.</summary>
    BulkCommit, BulkWait,

    /// <summary><c>wgmma</c>.</summary>
    Product, ProductFence, ProductCommit, ProductWait,

    /// <summary><c>fence.proxy.async</c>.</summary>
    ProxyFence,
    MatrixLoad, MatrixStore,

    /// <summary><c>bar.sync</c>, <c>bar.red</c> and <c>bar.arrive</c>.</summary>
    Barrier, BarrierArrive,

    /// <summary><c>barrier.cluster</c>.</summary>
    ClusterArrive, ClusterWait,
    WarpBarrier,

    /// <summary><c>shfl</c>, <c>vote</c>, <c>match</c>, <c>redux</c>.</summary>
    WarpExchange,

    /// <summary><c>mma</c> and others that all 32 lanes execute as one.</summary>
    WarpWide,
    Fence, Exit,
}

/// <summary>How an instruction's result follows from its operands, as far as overflow is concerned.</summary>
internal enum ArithmeticKind
{
    /// <summary>The result is taken as it is.</summary>
    Other,
    Copy, Select, Add, Subtract, Multiply, MultiplyAdd, ShiftLeft, Negate,

    /// <summary>From 32 to 64 bits.</summary>
    WidenSigned, WidenUnsigned, MultiplyWideSigned, MultiplyWideUnsigned,

    /// <summary>64 bits from 64 bits.</summary>
    Wide,
}

/// <summary>Where an instruction accesses memory.</summary>
/// <param name="Row">Row of the address.</param>
/// <param name="IsWide">The row has 64 bits.</param>
internal readonly record struct SiteAddress(StateSpace Space, int Row, ulong Offset, bool IsWide);

/// <summary>What checks know of one PTX instruction at one place in the code.</summary>
internal sealed class CheckSite(int index, PtxInstruction instruction, int guard)
{
    private readonly List<int> _reads = [], _sources = [], _writes = [], _results = [];

    public int Index { get; } = index;

    public PtxInstruction Instruction { get; } = instruction;

    /// <summary>Where it stands in the text.</summary>
    public int Position => Instruction.Position;

    /// <summary>Slot of the guard predicate; <see cref="Decoding.KernelDecoder.AlwaysTrue"/> without one.</summary>
    public int Guard { get; } = guard;

    public SiteKind Kind { get; set; }

    public ArithmeticKind Arithmetic { get; set; }

    /// <summary>Rows of registers and predicates that are read; constants and special registers are not among them.</summary>
    public int[] Reads { get; private set; } = [];

    /// <summary>Rows of all operands in order, whatever they are.</summary>
    public int[] Sources { get; private set; } = [];

    /// <summary>Rows of registers and predicates that are written.</summary>
    public int[] Writes { get; private set; } = [];

    /// <summary>Of those the ones that are no predicates.</summary>
    public int[] Results { get; private set; } = [];

    public List<SiteAddress> Addresses { get; } = [];

    /// <summary>A plain copy: undefined values may be copied, the copy is as undefined.</summary>
    public bool IsCopy { get; set; }

    /// <summary>Bytes of one lane's access.</summary>
    public int Bytes { get; set; }

    /// <summary>In a function with frames, whose parameters are copied there unseen.</summary>
    public bool IsInFrame { get; set; }

    /// <summary>Stands for the end of the copies before it.</summary>
    public bool WaitsForCopies { get; set; }

    public bool IsStrong { get; set; }

    /// <summary><c>atom.cas</c>.</summary>
    public bool IsCompareAndSwap { get; set; }

    /// <summary>Clears or sets bits without handing back what was there: of memory without a value the rest stays without one.</summary>
    public bool IsBlind { get; set; }

    public bool IsVolatile { get; set; }

    /// <summary>Reads through the read-only cache.</summary>
    public bool IsNonCoherent { get; set; }

    public bool IsAcquire { get; set; }

    public bool IsRelease { get; set; }

    /// <summary>Orders and is atomic within the block only.</summary>
    public bool IsBlockScope { get; set; }

    /// <summary>Row of a member mask or of a barrier's thread count; negative for none.</summary>
    public int MaskRow { get; set; } = -1;

    /// <summary>All threads of a warp must come to it together.</summary>
    public bool IsAligned { get; set; }

    /// <summary>Lanes wait at it for each other.</summary>
    public bool IsTogether => IsAligned || (MaskRow >= 0 && Kind is SiteKind.WarpExchange or SiteKind.WarpBarrier);

    /// <summary>The number in <c>cp.async.wait_group N</c>.</summary>
    public int GroupsLeft { get; set; }

    /// <summary>For <c>cp.async</c>: row with the bytes to read; negative for all.</summary>
    public int SizeRow { get; set; } = -1;

    /// <summary>For <c>cp.async</c>: predicate that says to read nothing, and what flips it; negative without one.</summary>
    public int IgnoreSlot { get; set; } = -1;

    public uint IgnoreFlip { get; set; }

    /// <summary>The operands of a tensor copy or a warpgroup's product, as their handlers have them; zero for others.</summary>
    public nint Operands { get; set; }

    /// <summary>Rows of what is stored, and bytes of each.</summary>
    public int[] Data { get; private set; } = [];

    public int DataRowBytes { get; private set; }

    public int DataBytes { get; private set; }

    /// <summary>The allocation hit last, to find the next sooner.</summary>
    public AllocationShadow? Last { get; set; }

    /// <summary>Number of the access this instruction made last, by which warp and when; zero for none in this launch.</summary>
    public (uint Number, long Block, int Warp, int Clock, int Group) LastEvent;

    public void AddSource(int row, bool isRegister)
    {
        _sources.Add(row);
        if (isRegister) _reads.Add(row);
    }

    public void AddRead(int row) => _reads.Add(row);

    public void AddWrite(int row, bool isPredicate)
    {
        _writes.Add(row);
        if (!isPredicate) _results.Add(row);
    }

    /// <summary>All operands are known.</summary>
    public void Seal()
    {
        (Reads, Sources) = (_reads.Distinct().ToArray(), _sources.ToArray());
        (Writes, Results) = (_writes.Distinct().ToArray(), _results.Distinct().ToArray());
    }

    public void SetData(ReadOnlySpan<int> rows, int rowBytes, int bytes)
    {
        Data = rows.ToArray();
        (DataRowBytes, DataBytes) = (rowBytes, bytes);
    }
}
