using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>
/// Turns the instructions of an entry into <see cref="Instr"/>s. This part lays out rows and emits; which handler an opcode
/// gets is decided in the files named for the families.
/// </summary>
internal sealed unsafe partial class KernelDecoder
{
    /// <summary>Offset of a predicate that always holds; unguarded instructions are guarded by it.</summary>
    public const int AlwaysTrue = 0;
    private const int PredicateChunk = 64;

    private const uint SharedGapBytes = 32;

    /// <summary>A thread's local memory, and more than any block's shared memory.</summary>
    private const int MostPrivateBytes = 512 * 1024;

    private const string ReservedShared = "%reserved_smem_offset";
    private const uint ReservedBytes = 1024;

    /// <summary>What a thread has for calls of functions that call themselves.</summary>
    private const uint StackBytes = 64 * 1024;

    /// <summary>What the parameters of an entry may take together, from PTX 8.1 on.</summary>
    private const int MostParameterBytes = 32764;

    /// <summary>Calls are put in their place: without an end to it, functions that call one another twice would double with each.</summary>
    private const int MostInstructions = 1 << 20, MostCalls = 1 << 14, MostRegisters = 1 << 22;

    private readonly DecodedKernel _kernel;
    private readonly List<Instr> _code = [];

    /// <summary>Branches by place in the code, and the PTX instructions they go to.</summary>
    private readonly List<(int Branch, FunctionInstance Instance, int Target)> _branches = [];

    /// <summary>Indexed branches by place in the code, and the PTX instructions their targets stand for.</summary>
    private readonly List<(int Branch, FunctionInstance Instance, int[] Targets)> _tables = [];

    /// <summary>Calls and what takes their results, by place in the code, and whose frame they are made from (null: the entry's).</summary>
    private readonly List<(int Place, Frame? From)> _calls = [];
    private readonly List<int> _returns = [];
    private readonly List<Frame> _frames = [];
    private readonly CallGraph _graph;
    private readonly Dictionary<(ulong, bool), int> _constants = [];
    private readonly Dictionary<(SpecialRegister, bool), int> _specials = [];
    private int _bytes = PredicateChunk, _predicateNext = 4, _predicateEnd = PredicateChunk;
    private int _carry = -1;
    private uint _reserved;
    private int _copies, _registers;
    private FunctionInstance _instance;
    private PtxInstruction _instruction = null!;

    private KernelDecoder(PtxModule module, PtxFunction function, VirtualGpuChecks checks)
    {
        _instance = new FunctionInstance(function, null);
        _kernel = new DecodedKernel(module, function, checks);
        _graph = new CallGraph(module, function);
    }

    /// <summary>What checks are to know of the instruction being decoded; null where nothing is checked.</summary>
    public CheckSite? Site { get; private set; }

    public DecodedKernel Kernel => _kernel;

    public PtxInstruction Instruction => _instruction;

    public CallGraph Graph => _graph;

    /// <summary>The frame that local variables are in; null in an entry, whose variables have fixed places.</summary>
    public Frame? Frame { get; private set; }

    /// <summary>Row with the offset of each thread's frame in its local memory.</summary>
    public int FrameRow => SpecialRow(SpecialRegister.Frame, isWide: true);

    /// <summary>Predicate slot of the carry flag.</summary>
    public int CarryFlag => _carry >= 0 ? _carry : _carry = NewPredicate();

    /// <summary>What is decoded is the entry itself and no function called by it.</summary>
    public bool IsInEntry => _instance.Caller == null && Frame == null;

    public Operand[] Operands => _instruction.Operands;

    /// <param name="checks">With any, each instruction has one before it that runs them.</param>
    public static DecodedKernel Decode(PtxModule module, PtxFunction function, VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        var decoder = new KernelDecoder(module, function, checks);
        try
        {
            decoder.PlaceVariables();
            decoder.DecodeFunctions();
            decoder.PlacePrivate(function);
            int start = decoder._code.Count;
            decoder.DecodeBody(decoder._instance);
            decoder.Finish(function, start);
            return decoder._kernel;
        }
        catch
        {
            decoder._kernel.Dispose();
            throw;
        }
    }

    public DeviceException Error(string message) => Error(_instruction.Position, message);

    public DeviceException Error(int position, string message) => _kernel.Module.Source.Error(position, $"{message} (in '{_instance.Function.Name}')");

    public DeviceException Unsupported() => Error($"instruction '{_instruction.FullName}' is not supported");

    public PtxType RegisterType(Operand operand) => operand.Kind == OperandKind.Register ? _instance.Function.Registers[operand.Register] : PtxType.None;

    public void RequireOperands(int least, int most = -1)
    {
        if (Operands.Length >= least && Operands.Length <= Math.Max(least, most)) return;
        throw Error($"'{_instruction.FullName}' takes {least}{(most > least ? $" to {most}" : "")} operands, not {Operands.Length}");
    }

    public void DecodeBody(FunctionInstance instance)
    {
        FunctionInstance outer = _instance;
        PtxInstruction call = _instruction;
        _instance = instance;
        List<PtxInstruction> instructions = instance.Function.Instructions;
        for (int i = 0; i < instructions.Count; i++)
        {
            instance.Current = i;
            instance.Starts[i] = _code.Count;
            _instruction = instructions[i];
            if (_kernel.Checks == VirtualGpuChecks.None) InstructionDecoder.Decode(this);
            else DecodeChecked();
        }
        instance.Starts[^1] = _code.Count;
        (_instance, _instruction) = (outer, call);
    }

    private void Finish(PtxFunction entry, int start)
    {
        _kernel.Classes.Add(InstructionClass.Control);
        _code.Add(new Instr { Handler = &Control.End, Source = entry.Instructions.Count > 0 ? entry.Instructions[^1].Position : entry.Position });
        Instr* code = (Instr*)NativeMemory.AlignedAlloc((nuint)(_code.Count * sizeof(Instr)), 64);
        CollectionsMarshal.AsSpan(_code).CopyTo(new Span<Instr>(code, _code.Count));
        foreach (var (branch, instance, target) in _branches) code[branch].Target = (nint)(code + instance.Starts[target]);
        foreach (var (branch, instance, targets) in _tables)
        {
            int* table = code[branch].Operands;
            table[0] = targets.Length;
            for (int i = 0; i < targets.Length; i++) table[1 + i] = instance.Starts[targets[i]] - branch;
        }
        FindRuns(new Span<Instr>(code, _code.Count));
        _kernel.Code = code;
        _kernel.Start = code + start;
        _kernel.InstructionCount = _code.Count;
        if (_calls.Count > 0) Link(code);
        _kernel.RegisterBytes = _bytes;
    }
}
