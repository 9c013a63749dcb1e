using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
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
            case OperandKind.Symbol when Frame != null && IsPrivate(operand.Variable!):
                int address = NewRow(isWide: true);
                if (type.Size() != 8) throw Error(operand.Position, "an address in .local has 64 bits here");
                Emit(&Elementwise.Binary64<IntegerOperations.Add>, address, FrameRow, Constant(operand.Variable!.Address + operand.Bits, true));
                return address;
            case OperandKind.Symbol:
                return Constant(operand.Variable!.Address + operand.Bits, type.Size() == 8);
            case OperandKind.Label when _kernel.Module.FindFunction(operand.Name) is >= 0 and var number:
                return Constant(AddressMap.OfFunction(number), type.Size() == 8);
            case OperandKind.Label:
                throw Error(operand.Position, $"'{operand.Name}' is not declared");
            default:
                throw Error(operand.Position, $"this operand does not fit '{_instruction.FullName}'");
        }
    }

    /// <summary>Whether an address is that of a parameter or result of a call, not of the entry's; a function has no others.</summary>
    public bool IsOfCall(Operand address) => address.Items switch
    {
        [{ Kind: OperandKind.Symbol, Variable: { Space: StateSpace.Param } variable }] => !_kernel.Function.Parameters.Contains(variable),
        [{ Kind: OperandKind.Register }] => !_instance.Function.IsEntry,
        _ => false,
    };

    /// <summary>Whether each thread has the variable for itself.</summary>
    public bool IsPrivate(PtxVariable variable) =>
        variable.Space == StateSpace.Local || (variable.Space == StateSpace.Param && !_kernel.Function.Parameters.Contains(variable));

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
        if (operand.Name.StartsWith(ReservedShared, StringComparison.Ordinal))
        {
            bool isEnd = operand.Name.EndsWith("end", StringComparison.Ordinal) || operand.Name.EndsWith("cap", StringComparison.Ordinal);
            return Constant(_reserved + (isEnd ? ReservedBytes : 0), isWide);
        }
        if (SpecialRegisters.ConstantValue(operand.Name) is { } value) return Constant(value, isWide);
        if (SpecialRegisters.Find(operand.Name) is not { } register) throw Error(operand.Position, $"'{operand.Name}' is neither a declared register nor a special register known here");
        return SpecialRow(register, isWide);
    }

    public int SpecialRow(SpecialRegister register, bool isWide)
    {
        if (_specials.TryGetValue((register, isWide), out int offset)) return offset;
        offset = NewRow(isWide);
        _specials.Add((register, isWide), offset);
        _kernel.Specials.Add(new SpecialRow(offset, isWide, register));
        return offset;
    }

    /// <summary>Emits an instruction under the guard of the PTX instruction being decoded.</summary>
    public void Emit(Handler handler, int d = -1, int a = -1, int b = -1, int c = -1, int e = -1, int f = -1, ulong imm = 0, nint target = 0, int slot = 0)
    {
        if (_code.Count >= MostInstructions) throw Error($"the kernel is too large: more than {MostInstructions:N0} instructions, calls written out");
        _kernel.Classes.Add(InstructionClasses.Of(_instruction));
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
            if (Frame is { } frame)
            {
                _returns.Add(_code.Count);
                Emit(&Calls.Return, FrameRow, slot: frame.Number);
            }
            else
            {
                Emit(&Control.Exit);
            }
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

    /// <summary>Emits an indexed branch to labels of this function.</summary>
    public void EmitBranchTable(int index, Operand[] labels)
    {
        int[] targets = [.. labels.Select(label => _instruction.Scope.FindLabel(label.Name) ?? throw Error(label.Position, $"label '{label.Name}' is not defined"))];
        _tables.Add((_code.Count, _instance, targets));
        Emit(&Calls.BranchIndexed, a: index, target: (nint)_kernel.Own(new int[targets.Length + 1]));
    }

    /// <summary>Emits an instruction whose E will be the size of the caller's frame and whose <c>Imm</c> the table of functions.</summary>
    public void EmitCall(Handler handler, int address, uint parameterEnd, ReadOnlySpan<int> copies, int slot)
    {
        _calls.Add((_code.Count, Frame));
        Emit(handler, FrameRow, address, c: (int)parameterEnd, f: _kernel.Module.Functions.Count, target: (nint)_kernel.Own(copies), slot: slot);
    }

    /// <summary>Makes ready to put a function in the place of the instruction being decoded.</summary>
    public FunctionInstance Enter(PtxFunction function)
    {
        if (++_copies > MostCalls) throw Error($"the kernel is too large: more than {MostCalls:N0} calls, those inside functions counted each time");
        if ((_registers += function.Registers.Count) > MostRegisters) throw Error($"the kernel is too large: more than {MostRegisters:N0} registers, those of calls counted each time");
        PlacePrivate(function);
        var instance = new FunctionInstance(function, _instance);
        Frame?.Instances.Add(instance);
        return instance;
    }

    /// <summary>Functions that calls go to. They come before the entry, so that threads inside a call run before those that wait for them.</summary>
    private void DecodeFunctions()
    {
        FunctionInstance entry = _instance;
        foreach (PtxFunction function in _graph.Called)
        {
            Frame = new Frame(function, _kernel.Module.Functions.IndexOf(function));
            _frames.Add(Frame);
            _instance = new FunctionInstance(function, null);
            Frame.Instances.Add(_instance);
            Frame.PlaceParameters();
            PlacePrivate(function);
            Frame.Start = _code.Count;
            DecodeBody(_instance);
            _instruction = new PtxInstruction(function.Position, ["ret"], -1, false, [], new PtxScope(null));
            EmitReturn();
        }
        Frame = null;
        _instance = entry;
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
        _kernel.Classes.Add(InstructionClass.Control);
        _code.Add(new Instr { Handler = &CheckHandlers.Before, D = CheckHandlers.BeforeMark, Slot = site.Index, Source = _instruction.Position });
        InstructionDecoder.Decode(this);
        CheckSiteDecoder.Complete(this, site);
        if (site.Kind == SiteKind.Barrier)
        {
            _kernel.Classes.Add(InstructionClass.Control);
            _code.Add(new Instr { Handler = &CheckHandlers.After, Slot = site.Index, Source = _instruction.Position });
        }
        Site = outer;
    }

    /// <summary>Puts a check before one of several accesses that the instruction becomes.</summary>
    public void EmitCheck(SiteKind kind, SiteAddress address, int bytes)
    {
        if (Site == null) return;
        var part = new CheckSite(_kernel.Sites.Count, _instruction, Site.Guard) { Kind = kind, Bytes = bytes };
        part.Addresses.Add(address);
        _kernel.Sites.Add(part);
        _kernel.Classes.Add(InstructionClass.Control);
        _code.Add(new Instr { Handler = &CheckHandlers.Before, D = CheckHandlers.BeforeMark, Slot = part.Index, Source = _instruction.Position });
    }

    /// <summary>A new entry for the allocation cache.</summary>
    public int NewRange() => _kernel.RangeCount++;

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
        _kernel.Code = code;
        _kernel.Start = code + start;
        _kernel.InstructionCount = _code.Count;
        if (_calls.Count > 0) Link(code);
        _kernel.RegisterBytes = _bytes;
    }

    /// <summary>Lays out the frames of called functions and tells calls and returns of them.</summary>
    private void Link(Instr* code)
    {
        var functions = (FunctionRecord*)_kernel.Own(new int[_kernel.Module.Functions.Count * sizeof(FunctionRecord) / sizeof(int)]);
        uint deepest = 0;
        foreach (Frame frame in _frames)
        {
            FunctionRecord* record = functions + frame.Number;
            record->Code = code + frame.Start;
            record->ParameterEnd = frame.ParameterEnd;
            if (_graph.IsRecursive(frame.Function)) KeepRows(frame, record);
            record->FrameBytes = frame.Bytes = Align(frame.Bytes, 16);
            deepest += frame.Bytes;
        }
        foreach (var (place, from) in _calls)
        {
            code[place].E = (int)(from?.Bytes ?? _kernel.LocalBytes);
            code[place].Imm = (ulong)functions;
        }
        foreach (int place in _returns) code[place].Imm = (ulong)functions;
        // Without recursion no function is active twice.
        _kernel.LocalBytes = Align(_kernel.LocalBytes + (_frames.Exists(f => _graph.IsRecursive(f.Function)) ? Math.Max(StackBytes, deepest) : deepest), 16);
    }

    private void KeepRows(Frame frame, FunctionRecord* record)
    {
        var rows = new List<int>[3] { [], [], [] };
        foreach (FunctionInstance instance in frame.Instances)
        {
            for (int i = 0; i < instance.Rows.Length; i++)
            {
                PtxType type = instance.Function.Registers[i];
                if (instance.Rows[i] >= 0) rows[type == PtxType.Pred ? 2 : type.Size() == 8 ? 0 : 1].Add(instance.Rows[i]);
            }
        }
        (record->Wide, record->Narrow, record->Predicates) = (rows[0].Count, rows[1].Count, rows[2].Count);
        record->Rows = _kernel.Own([.. rows[0], .. rows[1], .. rows[2], 0]);
        record->RowsAt = Align(frame.Bytes, 8);
        frame.Bytes = record->RowsAt + (uint)(8 * rows[0].Count + 4 * rows[1].Count + rows[2].Count);
    }

    private void PlaceVariables()
    {
        PtxFunction entry = _instance.Function;
        uint parameter = 0;
        foreach (PtxVariable variable in entry.Parameters)
        {
            parameter = Align(parameter, variable.Alignment);
            variable.Address = parameter;
            if (parameter + variable.Bytes > MostParameterBytes) throw Error(variable.Position, $"parameters take at most {MostParameterBytes:N0} bytes");
            parameter += (uint)variable.Bytes;
        }
        _kernel.ParameterBytes = parameter;
        PlaceShared(entry);
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
        // Cooperative groups keep their own data in shared memory that the system reserves, and ask for its place.
        _reserved = shared;
        if (_kernel.Module.Source.Text.Contains(ReservedShared, StringComparison.Ordinal)) shared += ReservedBytes;
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
        uint local = Frame?.Bytes ?? _kernel.LocalBytes;
        foreach (PtxVariable variable in function.Variables)
            if (variable.Space is StateSpace.Local or StateSpace.Param) local = Place(variable, local);
        local = Align(local, 16);
        if (Frame is { } frame) frame.Bytes = local;
        else _kernel.LocalBytes = local;
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
