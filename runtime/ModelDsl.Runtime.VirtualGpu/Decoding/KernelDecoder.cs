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
internal sealed unsafe class KernelDecoder
{
    /// <summary>Offset of a predicate that always holds; unguarded instructions are guarded by it.</summary>
    public const int AlwaysTrue = 0;
    private const int PredicateChunk = 64;

    private const uint SharedGapBytes = 32;

    /// <summary>A thread's local memory, and more than any block's shared memory.</summary>
    private const int MostPrivateBytes = 512 * 1024;

    private readonly DecodedKernel _kernel;
    private readonly List<Instr> _code = [];

    /// <summary>Branches by place in the code, and the PTX instructions they go to.</summary>
    private readonly List<(int Branch, FunctionInstance Instance, int Target)> _branches = [];
    private readonly Dictionary<(ulong, bool), int> _constants = [];
    private readonly Dictionary<(SpecialRegister, bool), int> _specials = [];
    private int _bytes = PredicateChunk, _predicateNext = 4, _predicateEnd = PredicateChunk;
    private int _carry = -1;
    private FunctionInstance _instance;
    private PtxInstruction _instruction = null!;

    private KernelDecoder(PtxModule module, PtxFunction function, VirtualGpuChecks checks)
    {
        _instance = new FunctionInstance(function, null);
        _kernel = new DecodedKernel(module, function, checks);
    }

    /// <summary>What checks are to know of the instruction being decoded; null where nothing is checked.</summary>
    public CheckSite? Site { get; private set; }

    public DecodedKernel Kernel => _kernel;

    public PtxInstruction Instruction => _instruction;

    /// <summary>Predicate slot of the carry flag.</summary>
    public int CarryFlag => _carry >= 0 ? _carry : _carry = NewPredicate();

    /// <summary>What is decoded is the entry itself and no function called by it.</summary>
    public bool IsInEntry => _instance.Caller == null;

    public Operand[] Operands => _instruction.Operands;

    /// <param name="checks">With any, each instruction has one before it that runs them.</param>
    public static DecodedKernel Decode(PtxModule module, PtxFunction function, VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        var decoder = new KernelDecoder(module, function, checks);
        decoder.PlaceVariables();
        decoder.DecodeBody(decoder._instance);
        decoder.Finish(function);
        return decoder._kernel;
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

    /// <summary>Row of a virtual register.</summary>
    public int Register(int number) => RowIn(_instance, number);

    public int RowIn(FunctionInstance instance, int number)
    {
        ref int offset = ref instance.Rows[number];
        if (offset >= 0) return offset;
        PtxType type = instance.Function.Registers[number];
        offset = type == PtxType.Pred ? NewPredicate() : NewRow(type.Size() == 8);
        if (Site != null) _kernel.RegisterNumbers.Add(offset, number);
        return offset;
    }

    public int NewRow(bool isWide)
    {
        int offset = _bytes;
        _bytes += isWide ? 256 : 128;
        return offset;
    }

    public int NewPredicate()
    {
        if (_predicateNext == _predicateEnd)
        {
            _predicateNext = _bytes;
            _predicateEnd = _bytes += PredicateChunk;
        }
        int offset = _predicateNext;
        _predicateNext += 4;
        return offset;
    }

    public int Constant(ulong bits, bool isWide)
    {
        if (!isWide) bits = (uint)bits;
        if (_constants.TryGetValue((bits, isWide), out int offset)) return offset;
        offset = NewRow(isWide);
        _constants.Add((bits, isWide), offset);
        _kernel.Constants.Add(new ConstantRow(offset, isWide, bits));
        return offset;
    }

    /// <summary>Row of a destination register of exactly this width.</summary>
    public int Destination(Operand operand, PtxType type)
    {
        if (operand.Kind == OperandKind.Sink) return type == PtxType.Pred ? NewPredicate() : NewRow(type.Size() == 8);
        if (operand.Kind != OperandKind.Register) throw Error(operand.Position, "the destination must be a register");
        RequireWidth(operand, type);
        int row = Register(operand.Register);
        Site?.AddWrite(row, type == PtxType.Pred);
        return row;
    }

    /// <summary>Row of a source: register, literal, special register or address of a variable.</summary>
    public int Source(Operand operand, PtxType type)
    {
        int row = SourceRow(operand, type);
        Site?.AddSource(row, operand.Kind == OperandKind.Register);
        return row;
    }

    private int SourceRow(Operand operand, PtxType type)
    {
        switch (operand.Kind)
        {
            case OperandKind.Register:
                RequireWidth(operand, type);
                return Register(operand.Register);
            case OperandKind.Integer or OperandKind.Single or OperandKind.Double:
                return Constant(Literals.Bits(operand, type), type.Size() == 8);
            case OperandKind.Special:
                return Special(operand, type.Size() == 8);
            case OperandKind.Symbol:
                return Constant(operand.Variable!.Address + operand.Bits, type.Size() == 8);
            case OperandKind.Label:
                throw Error(operand.Position, $"'{operand.Name}' is not declared");
            default:
                throw Error(operand.Position, $"this operand does not fit '{_instruction.FullName}'");
        }
    }

    /// <summary>Whether an address is that of a parameter or result of a call, not of the entry's.</summary>
    public bool IsOfCall(Operand address) =>
        address.Items is [{ Kind: OperandKind.Symbol, Variable: { Space: StateSpace.Param } variable }] && !_kernel.Function.Parameters.Contains(variable);

    /// <summary>Slot of a predicate source and the mask that flips it.</summary>
    public (int Slot, uint Flip) Predicate(Operand operand)
    {
        if (operand.Kind == OperandKind.Integer) return (AlwaysTrue, operand.Bits != 0 ? 0 : Lanes.All);
        if (RegisterType(operand) != PtxType.Pred) throw Error(operand.Position, "a predicate register is wanted here");
        int slot = Register(operand.Register);
        Site?.AddRead(slot);
        return (slot, operand.Negated ? Lanes.All : 0);
    }

    public int PredicateDestination(Operand operand) => Destination(operand, PtxType.Pred);

    private void RequireWidth(Operand operand, PtxType type)
    {
        PtxType register = _instance.Function.Registers[operand.Register];
        bool fits = (register == PtxType.Pred) == (type == PtxType.Pred) && register.Size() == Math.Max(type.Size(), type == PtxType.Pred ? 0 : 2);
        // Bytes live in registers of 16 bits or more.
        if (!fits && !(type.Size() == 1 && register.Size() <= 4))
            throw Error(operand.Position, $"'{_instruction.FullName}' wants a register of {type.Size() * 8} bits here, this one is .{register.ToString().ToLowerInvariant()}");
    }

    private int Special(Operand operand, bool isWide)
    {
        if (SpecialRegisters.ConstantValue(operand.Name) is { } value) return Constant(value, isWide);
        if (SpecialRegisters.Find(operand.Name) is not { } register) throw Error(operand.Position, $"'{operand.Name}' is neither a declared register nor a special register known here");
        if (_specials.TryGetValue((register, isWide), out int offset)) return offset;
        offset = NewRow(isWide);
        _specials.Add((register, isWide), offset);
        _kernel.Specials.Add(new SpecialRow(offset, isWide, register));
        return offset;
    }

    /// <summary>Emits an instruction under the guard of the PTX instruction being decoded.</summary>
    public void Emit(Handler handler, int d = -1, int a = -1, int b = -1, int c = -1, int e = -1, int f = -1, ulong imm = 0, nint target = 0, int slot = 0)
    {
        _code.Add(new Instr
        {
            Handler = handler,
            Guard = _instruction.Guard < 0 ? AlwaysTrue : Register(_instruction.Guard),
            GuardFlip = _instruction.GuardNegated ? Lanes.All : 0,
            D = d, A = a, B = b, C = c, E = e, F = f,
            Imm = imm, Target = target, Slot = slot, Source = _instruction.Position,
        });
    }

    public void EmitBranch(Operand label)
    {
        if (label.Kind != OperandKind.Label) throw Error(label.Position, "a label is wanted here");
        int target = _instruction.Scope.FindLabel(label.Name) ?? throw Error(label.Position, $"label '{label.Name}' is not defined");
        _branches.Add((_code.Count, _instance, target));
        Emit(&Control.Branch);
    }

    /// <summary>The end of a thread in an entry; in a function the way to its end.</summary>
    public void EmitReturn()
    {
        if (_instance.Caller == null)
        {
            Emit(&Control.Exit);
            return;
        }
        _branches.Add((_code.Count, _instance, _instance.Function.Instructions.Count));
        Emit(&Control.Branch);
    }

    /// <summary>Takes threads whose guard does not hold past what this PTX instruction becomes.</summary>
    public void EmitSkip()
    {
        _branches.Add((_code.Count, _instance, _instance.Current + 1));
        Emit(&Control.Branch);
        CollectionsMarshal.AsSpan(_code)[^1].GuardFlip ^= Lanes.All;
    }

    /// <summary>Makes ready to put a function in the place of the instruction being decoded.</summary>
    public FunctionInstance Enter(PtxFunction function)
    {
        if (_instance.IsCalledBy(function)) throw Error($"'{function.Name}' calls itself; recursion is not supported");
        PlacePrivate(function);
        return new FunctionInstance(function, _instance);
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

    /// <summary>Puts an instruction that checks before the one being decoded, and one behind it where it has to be resumed from.</summary>
    private void DecodeChecked()
    {
        CheckSite? outer = Site;
        int guard = _instruction.Guard < 0 ? AlwaysTrue : Register(_instruction.Guard);
        var site = new CheckSite(_kernel.Sites.Count, _instruction, guard);
        _kernel.Sites.Add(site);
        Site = site;
        _code.Add(new Instr { Handler = &CheckHandlers.Before, D = CheckHandlers.BeforeMark, Slot = site.Index, Source = _instruction.Position });
        InstructionDecoder.Decode(this);
        CheckSiteDecoder.Complete(this, site);
        if (site.Kind == SiteKind.Barrier) _code.Add(new Instr { Handler = &CheckHandlers.After, Slot = site.Index, Source = _instruction.Position });
        Site = outer;
    }

    /// <summary>A new entry for the allocation cache.</summary>
    public int NewRange() => _kernel.RangeCount++;

    private void Finish(PtxFunction entry)
    {
        _code.Add(new Instr { Handler = &Control.End, Source = entry.Instructions.Count > 0 ? entry.Instructions[^1].Position : entry.Position });
        Instr* code = (Instr*)NativeMemory.AlignedAlloc((nuint)(_code.Count * sizeof(Instr)), 64);
        CollectionsMarshal.AsSpan(_code).CopyTo(new Span<Instr>(code, _code.Count));
        foreach (var (branch, instance, target) in _branches) code[branch].Target = (nint)(code + instance.Starts[target]);
        _kernel.Code = code;
        _kernel.InstructionCount = _code.Count;
        _kernel.RegisterBytes = _bytes;
    }

    private void PlaceVariables()
    {
        PtxFunction entry = _instance.Function;
        uint parameter = 0;
        foreach (PtxVariable variable in entry.Parameters)
        {
            parameter = Align(parameter, variable.Alignment);
            variable.Address = parameter;
            parameter += (uint)variable.Bytes;
        }
        _kernel.ParameterBytes = parameter;
        PlaceShared(entry);
        PlacePrivate(entry);
    }

    /// <summary>Shared memory of the module, the entry and whatever it may call; the array whose length the launch decides comes last.</summary>
    private void PlaceShared(PtxFunction entry)
    {
        IEnumerable<PtxVariable> variables = entry.Variables.Concat(_kernel.Module.Variables);
        if (entry.Instructions.Exists(i => i.Name == "call")) variables = variables.Concat(_kernel.Module.Functions.Where(f => !f.IsEntry).SelectMany(f => f.Variables));
        uint shared = 0;
        int alignment = 16;
        foreach (PtxVariable variable in variables.Where(v => v.Space == StateSpace.Shared))
        {
            if (variable.Bytes > 0) shared = LeaveGap(variable, Place(variable, shared));
            else alignment = Math.Max(alignment, variable.Alignment);
        }
        shared = Align(shared, alignment);
        foreach (PtxVariable variable in variables.Where(v => v.Space == StateSpace.Shared && v.Bytes == 0)) variable.Address = shared;
        _kernel.StaticSharedBytes = shared;
    }

    /// <summary>Where memory is checked no variable follows another at once, so that running over an end is seen.</summary>
    private uint LeaveGap(PtxVariable variable, uint end)
    {
        if ((_kernel.Checks & VirtualGpuChecks.Memory) == 0) return end;
        _kernel.SharedGaps.Add(new SharedGap(end, end + SharedGapBytes, variable.Name));
        _kernel.SharedGapBytes += SharedGapBytes;
        return end + SharedGapBytes;
    }

    /// <summary>What each thread has of its own for a function: local variables and the parameters of calls.</summary>
    private void PlacePrivate(PtxFunction function)
    {
        uint local = _kernel.LocalBytes;
        foreach (PtxVariable variable in function.Variables)
            if (variable.Space is StateSpace.Local or StateSpace.Param) local = Place(variable, local);
        _kernel.LocalBytes = Align(local, 16);
    }

    private uint Place(PtxVariable variable, uint at)
    {
        at = Align(at, variable.Alignment);
        variable.Address = at;
        if (at + variable.Bytes > MostPrivateBytes) throw Error(variable.Position, $"'{variable.Name}' does not fit in .{variable.Space.ToString().ToLowerInvariant()}");
        return at + (uint)variable.Bytes;
    }

    private static uint Align(uint value, int alignment) => (uint)((value + alignment - 1) / alignment * alignment);
}
