using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

// Operands: rows and slots of registers, constants, special registers and addresses.
internal sealed unsafe partial class KernelDecoder
{
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
}
