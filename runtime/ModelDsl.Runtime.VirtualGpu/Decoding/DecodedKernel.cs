using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>A row every lane of which holds the same constant.</summary>
internal readonly record struct ConstantRow(int Offset, bool IsWide, ulong Bits);

/// <summary>A row with a special register's values.</summary>
internal readonly record struct SpecialRow(int Offset, bool IsWide, SpecialRegister Register);

/// <summary>Nothing is in shared memory from <c>Start</c> to <c>End</c>.</summary>
internal readonly record struct SharedGap(uint Start, uint End, string Behind);

internal enum SpecialRegister
{
    ThreadX, ThreadY, ThreadZ, ThreadsX, ThreadsY, ThreadsZ,
    BlockX, BlockY, BlockZ, BlocksX, BlocksY, BlocksZ,
    Lane, Warp, Warps, Multiprocessor, Multiprocessors, GridId,
    MaskEqual, MaskLess, MaskLessEqual, MaskGreater, MaskGreaterEqual,
    DynamicSharedBytes, TotalSharedBytes,
    Frame, Quad, LaneInQuad,
    ClusterX, ClusterY, ClusterZ, ClustersX, ClustersY, ClustersZ, InClusterX, InClusterY, InClusterZ, Rank,
    ClusterBlocksX, ClusterBlocksY, ClusterBlocksZ, ClusterBlocks,
}

/// <summary>An entry ready to run: instructions in native memory and how large a warp's state is.</summary>
internal sealed unsafe class DecodedKernel(PtxModule module, PtxFunction function, VirtualGpuChecks checks) : IDisposable
{
    private readonly List<nint> _owned = [];
    private readonly Dictionary<int, (nint Ranges, int Version)> _ranges = [];

    public PtxModule Module { get; } = module;
    public PtxFunction Function { get; } = function;

    /// <summary>What its instructions check.</summary>
    public VirtualGpuChecks Checks { get; } = checks;

    /// <summary>What checks know of each PTX instruction, in order of decoding; empty where nothing is checked.</summary>
    public List<CheckSite> Sites { get; } = [];

    /// <summary>Which register has which row, where anything is checked.</summary>
    public Dictionary<int, int> RegisterNumbers { get; } = [];

    public Instr* Code { get; set; }

    /// <summary>Where the entry starts; functions that are called come before it.</summary>
    public Instr* Start { get; set; }

    public bool IsDisposed => Code == null;
    public int InstructionCount { get; set; }

    /// <summary>Of each instruction.</summary>
    public List<InstructionClass> Classes { get; } = [];

    /// <summary>Bytes of a warp's registers, constants and special rows together.</summary>
    public int RegisterBytes { get; set; }
    public List<ConstantRow> Constants { get; } = [];
    public List<SpecialRow> Specials { get; } = [];

    /// <summary>Entries in <see cref="Warp.Ranges"/>.</summary>
    public int RangeCount { get; set; }
    public uint StaticSharedBytes { get; set; }

    /// <summary>Space left free behind shared variables where accesses are checked, and of which variable.</summary>
    public List<SharedGap> SharedGaps { get; } = [];

    /// <summary>Of the static shared memory what is there only to be free.</summary>
    public uint SharedGapBytes { get; set; }
    public uint LocalBytes { get; set; }
    public uint ParameterBytes { get; set; }

    /// <summary>
    /// Blocks must run one after the other for the result not to depend on the number of cores: the kernel has atomics whose
    /// order shows (floating sums, returned values).
    /// </summary>
    public bool IsOrderDependent { get; set; }

    /// <summary>
    /// Where a worker keeps the allocation each instruction last hit. Launch after launch hits the same ones, so they stay until the
    /// heap gives memory back.
    /// </summary>
    public MemoryRange* Ranges(int worker, int heapVersion)
    {
        lock (_ranges)
        {
            bool known = _ranges.TryGetValue(worker, out var cache);
            if (known && cache.Version == heapVersion) return (MemoryRange*)cache.Ranges;
            nuint bytes = (nuint)((RangeCount + 1) * sizeof(MemoryRange));
            if (!known) cache.Ranges = (nint)NativeMemory.Alloc(bytes);
            NativeMemory.Clear((void*)cache.Ranges, bytes);
            _ranges[worker] = (cache.Ranges, heapVersion);
            return (MemoryRange*)cache.Ranges;
        }
    }

    public int* Own(ReadOnlySpan<int> operands)
    {
        int* copy = (int*)NativeMemory.Alloc((nuint)(operands.Length * sizeof(int)));
        operands.CopyTo(new Span<int>(copy, operands.Length));
        _owned.Add((nint)copy);
        return copy;
    }

    public void Dispose()
    {
        foreach (nint block in _owned) NativeMemory.Free((void*)block);
        foreach (var (ranges, _) in _ranges.Values) NativeMemory.Free((void*)ranges);
        _owned.Clear();
        _ranges.Clear();
        NativeMemory.AlignedFree(Code);
        Code = null;
    }
}
