using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

public sealed partial class KernelBuilder
{
    private readonly List<(string Name, ScalarType Type, int? Bytes)> _parameters = [];

    internal IReadOnlyList<(string Name, ScalarType Type, int? Bytes)> Parameters => _parameters;

    internal string? LaunchBounds => ClusterBlocks == 1 ? _threadBounds : $"{_threadBounds}\n.explicitcluster\n.reqnctapercluster {ClusterBlocks}, 1, 1".TrimStart();

    private string? _threadBounds;

    /// <summary>Index of the thread in its block.</summary>
    public S32 ThreadIdX => Special("tid.x");

    public S32 ThreadIdY => Special("tid.y");

    public S32 ThreadIdZ => Special("tid.z");

    /// <summary>Threads in a block.</summary>
    public S32 BlockDimX => Special("ntid.x");

    public S32 BlockDimY => Special("ntid.y");

    /// <summary>Index of the block in the grid.</summary>
    public S32 BlockIdX => Special("ctaid.x");

    public S32 BlockIdY => Special("ctaid.y");

    public S32 BlockIdZ => Special("ctaid.z");

    /// <summary>Blocks in the grid.</summary>
    public S32 GridDimX => Special("nctaid.x");

    public S32 GridDimY => Special("nctaid.y");

    public S32 GridDimZ => Special("nctaid.z");

    /// <summary>0 to 31.</summary>
    public S32 LaneId => Special("laneid");

    /// <summary>Index of the warp in a one-dimensional block.</summary>
    public S32 WarpId => ThreadIdX >> 5;

    /// <summary>The next parameter: a pointer to global memory.</summary>
    public GlobalPtr<T> GlobalPtrParam<T>(string name) where T : Value
    {
        var raw = Parameter(name, ScalarType.U64);
        return new GlobalPtr<T>(this, Prologue("cvta.to.global.u64", RegisterClass.B64, raw), 0);
    }

    public S32 S32Param(string name) => new(this, Parameter(name, ScalarType.U32));

    public U32 U32Param(string name) => new(this, Parameter(name, ScalarType.U32));

    public U64 U64Param(string name) => new(this, Parameter(name, ScalarType.U64));

    public F32 F32Param(string name) => new(this, Parameter(name, ScalarType.F32));

    /// <summary>The block has exactly this many threads, and at least so many blocks should fit on a multiprocessor.</summary>
    /// <param name="minBlocksPerMultiprocessor">
    /// From 1 on, the assembler may use all registers that leaves; 0: it decides for itself.
    /// </param>
    public void RequireThreads(int threads, int minBlocksPerMultiprocessor = 0) => Bound("reqntid", threads, minBlocksPerMultiprocessor);

    /// <summary>The block has at most this many threads; see <see cref="RequireThreads"/>.</summary>
    public void MaxThreads(int threads, int minBlocksPerMultiprocessor = 0) => Bound("maxntid", threads, minBlocksPerMultiprocessor);

    private void Bound(string directive, int threads, int minBlocks) =>
        _threadBounds = $".{directive} {threads}, 1, 1" + (minBlocks > 0 ? $"\n.minnctapersm {minBlocks}" : "");

    private Operand Parameter(string name, ScalarType type)
    {
        Declare(name, type, null);
        return Prologue($"ld.param.{type}", type.Class, new AddressOperand(new SymbolOperand(name), 0));
    }

    private void Declare(string name, ScalarType type, int? bytes)
    {
        if (_parameters.Any(p => p.Name == name)) throw new PtxException($"kernel '{Name}' has two parameters '{name}'");
        _parameters.Add((name, type, bytes));
    }

    private S32 Special(string name) => new(this, Prologue("mov.u32", RegisterClass.B32, new SpecialOperand("%" + name)));
}
