using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Loads, stores, atomics and asynchronous copies: which space, how wide, which registers.</summary>
internal static unsafe class MemoryDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "ld" or "ldu":
                return LoadStore(d, i, isLoad: true);
            case "st":
                return LoadStore(d, i, isLoad: false);
            case "atom" or "red":
                return Atomic(d, i);
            case "cp":
                return Copy(d, i);
            case "prefetch" or "prefetchu" or "discard" or "applypriority":
                d.Emit(&Control.Nothing);
                return true;
            case "createpolicy":
                // A policy says what to keep in caches, and there are none.
                d.RequireOperands(1, 4);
                MoveDecoder.Copy(d, d.Destination(i.Operands[0], PtxType.B64), d.Constant(0, true), isWide: true);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Row and offset of an address, and whether the row has 64 bits.</summary>
    public static (int Row, ulong Offset, bool IsWide) Address(KernelDecoder d, Operand operand, StateSpace space)
    {
        var address = Locate(d, operand, space);
        bool isExtended = address.IsWide && operand.Items is [{ Kind: OperandKind.Register } @base] && d.RegisterType(@base).Size() == 4;
        d.Site?.Addresses.Add(new SiteAddress(space, isExtended ? d.Register(operand.Items[0].Register) : address.Row, address.Offset, address.IsWide && !isExtended));
        return address;
    }

    private static (int Row, ulong Offset, bool IsWide) Locate(KernelDecoder d, Operand operand, StateSpace space)
    {
        if (operand.Kind != OperandKind.Address) throw d.Error(operand.Position, "an address in brackets is wanted here");
        bool wide = space != StateSpace.Shared;
        if (operand.Items.Length == 0) return (d.Constant(operand.Bits, wide), 0, wide);
        Operand @base = operand.Items[0];
        if (@base.Kind == OperandKind.Symbol)
        {
            PtxVariable variable = @base.Variable!;
            ulong address = variable.Address + operand.Bits;
            if (d.Frame != null && d.IsPrivate(variable) && space is StateSpace.Local or StateSpace.Generic)
                return (d.FrameRow, address + (space == StateSpace.Generic ? Window(variable.Space) : 0), true);
            if (space == StateSpace.Generic) address += Window(variable.Space);
            else if (variable.Space != space && !(IsGlobal(space) && IsGlobal(variable.Space)) && !(space == StateSpace.Local && variable.Space == StateSpace.Param))
                throw d.Error(@base.Position, $"'{variable.Name}' is in .{variable.Space.ToString().ToLowerInvariant()}, the instruction looks in .{space.ToString().ToLowerInvariant()}");
            return (d.Constant(address, wide), 0, wide);
        }
        bool isWide = d.RegisterType(@base).Size() == 8;
        int row = d.Source(@base, isWide ? PtxType.B64 : PtxType.B32);
        if (isWide || space == StateSpace.Shared) return (row, operand.Bits, isWide);
        // Everything but shared memory is addressed by 64 bits.
        int extended = d.NewRow(isWide: true);
        d.Emit(&Elementwise.ZeroExtend32, extended, row);
        return (extended, operand.Bits, true);
    }

    public static ulong Window(StateSpace space) => space switch
    {
        StateSpace.Shared => AddressMap.SharedWindow,
        StateSpace.Local => AddressMap.LocalWindow,
        StateSpace.Param => AddressMap.ParameterWindow,
        _ => 0,
    };

    private static bool IsGlobal(StateSpace space) => space is StateSpace.Global or StateSpace.Const;

    public static StateSpace Space(PtxInstruction i)
    {
        foreach (string part in i.Opcode)
        {
            switch (part)
            {
                case "global": return StateSpace.Global;
                case "shared" or "shared::cta" or "shared::cluster": return StateSpace.Shared;
                case "local": return StateSpace.Local;
                case "const": return StateSpace.Const;
                case "param" or "param::entry" or "param::func": return StateSpace.Param;
            }
        }
        return StateSpace.Generic;
    }

    private static bool LoadStore(KernelDecoder d, PtxInstruction i, bool isLoad)
    {
        int count = i.Has("v2") ? 2 : i.Has("v4") ? 4 : 1;
        // A cache policy may follow; it changes nothing here.
        d.RequireOperands(2, 3);
        StateSpace space = Space(i);
        // Parameters of calls are memory of the thread; only an entry's own are the launch's.
        bool isOfCall = space == StateSpace.Param && d.IsOfCall(i.Operands[isLoad ? 1 : 0]);
        if (isOfCall) space = StateSpace.Local;
        PtxType type = i.Type(d);
        Operand data = i.Operands[isLoad ? 0 : 1];
        Operand[] items = count == 1 && data.Kind != OperandKind.Vector ? [data] : data.Items;
        if (items.Length != count) throw d.Error(data.Position, $"'{i.FullName}' moves {count} registers, not {items.Length}");
        PtxType register = PtxType.None;
        foreach (Operand item in items)
            if (register == PtxType.None) register = d.RegisterType(item);
        if (register == PtxType.None) register = type;
        if (register.Size() < type.Size() || register == PtxType.Pred) throw d.Error(data.Position, $"the register is too small for '{i.FullName}'");
        Span<int> rows = [-1, -1, -1, -1];
        for (int k = 0; k < count; k++)
        {
            if (items[k].Kind == OperandKind.Register && d.RegisterType(items[k]).Size() != register.Size()) throw d.Error(items[k].Position, "the registers of a vector have one width");
            rows[k] = isLoad ? d.Destination(items[k], register) : d.Source(items[k], items[k].Kind == OperandKind.Register ? register : type);
        }
        d.Site?.SetData(rows, register.Size(), type.Size());
        Operand at = i.Operands[isLoad ? 1 : 0];
        if (space == StateSpace.Param && isLoad && at.Items is [{ Kind: OperandKind.Symbol, Variable.Space: StateSpace.Param } symbol])
        {
            ulong offset = symbol.Variable!.Address + at.Bits;
            if (offset + (ulong)(type.Size() * count) > d.Kernel.ParameterBytes) throw d.Error(at.Position, "this reads past the last parameter");
            d.Emit(LoadStoreHandlers.Parameter(type, register, count), b: rows[0], c: rows[1], e: rows[2], f: rows[3], imm: offset);
            return true;
        }
        var (row, imm, isWide) = Address(d, at, space);
        // What a call hands over is copied by no instruction that could be checked.
        if (isOfCall && isLoad) d.Site?.Addresses.Clear();
        Handler handler = LoadStoreHandlers.Find(isLoad, space, isWide, type, register, count);
        if (handler == null) return false;
        d.Emit(handler, -1, row, rows[0], rows[1], rows[2], rows[3], imm, slot: d.NewRange());
        return true;
    }

    private static bool Atomic(KernelDecoder d, PtxInstruction i)
    {
        bool returns = i.Name == "atom", swaps = i.Has("cas");
        PtxType type = i.Type(d);
        int first = returns ? 1 : 0;
        d.RequireOperands(first + (swaps ? 3 : 2), first + (swaps ? 4 : 3));
        AtomicOperation? operation = Operation(i);
        if (operation == null || type.Size() is not (2 or 4 or 8)) return false;
        StateSpace space = Space(i);
        bool isFloat = type.IsFloat();
        if (space != StateSpace.Shared && (returns || isFloat || operation is AtomicOperation.Exchange or AtomicOperation.CompareAndSwap))
            d.Kernel.IsOrderDependent = true;
        int destination = returns && i.Operands[0].Kind != OperandKind.Sink ? d.Destination(i.Operands[0], type) : -1;
        int b = d.Source(i.Operands[first + 1], type), c = swaps ? d.Source(i.Operands[first + 2], type) : -1;
        var (row, imm, isWide) = Address(d, i.Operands[first], space);
        Handler handler = (space, isWide, type.Size()) switch
        {
            (StateSpace.Global, _, 2) => &Atomics.Run<GlobalSpace, ushort>,
            (StateSpace.Global, _, 4) => &Atomics.Run<GlobalSpace, uint>,
            (StateSpace.Global, _, 8) => &Atomics.Run<GlobalSpace, ulong>,
            (StateSpace.Shared, false, 2) => &Atomics.Run<SharedSpace, ushort>,
            (StateSpace.Shared, false, 4) => &Atomics.Run<SharedSpace, uint>,
            (StateSpace.Shared, false, 8) => &Atomics.Run<SharedSpace, ulong>,
            (StateSpace.Shared, true, 2) => &Atomics.Run<SharedSpace64, ushort>,
            (StateSpace.Shared, true, 4) => &Atomics.Run<SharedSpace64, uint>,
            (StateSpace.Shared, true, 8) => &Atomics.Run<SharedSpace64, ulong>,
            (StateSpace.Generic, _, 2) => &Atomics.Run<GenericSpace, ushort>,
            (StateSpace.Generic, _, 4) => &Atomics.Run<GenericSpace, uint>,
            (StateSpace.Generic, _, 8) => &Atomics.Run<GenericSpace, ulong>,
            _ => null,
        };
        if (handler == null) return false;
        d.Emit(handler, destination, row, b, c, e: (int)operation | ((int)type << 8), imm: imm, slot: d.NewRange());
        return true;
    }

    private static AtomicOperation? Operation(PtxInstruction i)
    {
        for (int k = 1; k < i.Opcode.Length; k++)
        {
            switch (i.Opcode[k])
            {
                case "add": return AtomicOperation.Add;
                case "min": return AtomicOperation.Min;
                case "max": return AtomicOperation.Max;
                case "exch": return AtomicOperation.Exchange;
                case "cas": return AtomicOperation.CompareAndSwap;
                case "and": return AtomicOperation.And;
                case "or": return AtomicOperation.Or;
                case "xor": return AtomicOperation.Xor;
                case "inc": return AtomicOperation.Increment;
                case "dec": return AtomicOperation.Decrement;
            }
        }
        return null;
    }

    private static bool Copy(KernelDecoder d, PtxInstruction i)
    {
        if (i.Has("bulk") && i.Has("tensor")) return TensorCopyDecoder.Decode(d, i);
        if (i.Opcode.Length < 2 || i.Opcode[1] != "async") return false;
        if (i.Has("bulk")) return BarrierObjectDecoder.BulkCopy(d, i);
        if (i.Has("mbarrier")) return BarrierObjectDecoder.ArriveAfterCopies(d, i);
        if (i.Has("commit_group") || i.Has("wait_group") || i.Has("wait_all"))
        {
            d.Emit(&Control.Nothing);
            return true;
        }
        d.RequireOperands(3, 5);
        int bytes = i.Operands[2].Kind == OperandKind.Integer ? (int)i.Operands[2].Bits : 0;
        if (bytes is not (4 or 8 or 16)) throw d.Error(i.Operands[2].Position, "cp.async copies 4, 8 or 16 bytes");
        if (i.Has("cg") && bytes != 16) throw d.Error(i.Operands[2].Position, "cp.async.cg copies 16 bytes");
        var (to, toOffset, toWide) = Address(d, i.Operands[0], StateSpace.Shared);
        var (from, fromOffset, _) = Address(d, i.Operands[1], StateSpace.Global);
        // The fourth operand is a source size, an ignore-src predicate, or (64 bits) a cache policy.
        int size = -1;
        if (i.Operands.Length > 3)
        {
            PtxType type = d.RegisterType(i.Operands[3]);
            if (type == PtxType.Pred) size = IgnoredSource(d, i.Operands[3], bytes);
            else if (type.Size() != 8)
            {
                size = d.Source(i.Operands[3], PtxType.U32);
                if (d.Site != null) d.Site.SizeRow = size;
            }
        }
        d.Emit(&AsyncCopy.Run, to, from, size, (int)toOffset, bytes, toWide ? 1 : 0, fromOffset, slot: d.NewRange());
        return true;
    }

    private static int IgnoredSource(KernelDecoder d, Operand operand, int bytes)
    {
        var (slot, flip) = d.Predicate(operand);
        if (d.Site != null) (d.Site.IgnoreSlot, d.Site.IgnoreFlip) = (slot, flip);
        int row = d.NewRow(isWide: false);
        d.Emit(&Elementwise.Select32, row, d.Constant(0, false), d.Constant((ulong)bytes, false), slot, imm: flip);
        return row;
    }
}
