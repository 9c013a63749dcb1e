using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Elementwise;
using static ModelDsl.Runtime.VirtualGpu.Instructions.IntegerOperations;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Logic, shifts, bit fields, counts and carries.</summary>
internal static unsafe class BitDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        PtxType type = i.Name == "prmt" ? PtxType.B32 : i.Type(d);
        int size = type.Size();
        bool wide = size == 8, signed = type.IsSigned();
        if (type == PtxType.Pred) return OnPredicates(d, i);
        switch (i.Name)
        {
            case "and": return Two(d, i, type, wide ? &Binary64<And> : &Binary32<And>);
            case "or": return Two(d, i, type, wide ? &Binary64<Or> : &Binary32<Or>);
            case "xor": return Two(d, i, type, wide ? &Binary64<Xor> : &Binary32<Xor>);
            case "not": return One(d, i, type, type, wide ? &Unary64<Not> : size == 2 ? &Unary32<Low1<Not>> : &Unary32<Not>);
            case "cnot": return One(d, i, type, type, wide ? &Unary64<IsZero> : &Unary32<IsZero>);
            case "shl": return Shift(d, i, type, wide ? &Shift64<ShiftLeft> : size == 2 ? &Binary32<Low2<ShiftLeft>> : &Binary32<ShiftLeft>);
            case "shr" when signed: return Shift(d, i, type, wide ? &Shift64<ShiftRightS> : size == 2 ? &Binary32<ShiftRightS16> : &Binary32<ShiftRightS>);
            case "shr": return Shift(d, i, type, wide ? &Shift64<ShiftRightU> : &Binary32<ShiftRightU>);
            case "shf":
                return Three(d, i, type, (i.Has("l"), i.Has("wrap")) switch
                {
                    (true, true) => &Ternary32<FunnelLeftWrap>,
                    (true, false) => &Ternary32<FunnelLeftClamp>,
                    (false, true) => &Ternary32<FunnelRightWrap>,
                    _ => &Ternary32<FunnelRightClamp>,
                });
            case "brev": return One(d, i, type, type, wide ? &Unary64<Reverse> : &Unary32<Reverse>);
            case "clz": return Count(d, i, type, Instructions.BitOperations.Count.LeadingZeros, &Unary32<CountLeadingZeros>);
            case "popc": return Count(d, i, type, Instructions.BitOperations.Count.Ones, &Unary32<CountOnes>);
            case "bfind" when i.Has("shiftamt"):
                return signed ? Count(d, i, type, Instructions.BitOperations.Count.FindShiftS, &Unary32<FindShiftS>) : Count(d, i, type, Instructions.BitOperations.Count.FindShiftU, &Unary32<FindShiftU>);
            case "bfind":
                return signed ? Count(d, i, type, Instructions.BitOperations.Count.FindS, &Unary32<FindS>) : Count(d, i, type, Instructions.BitOperations.Count.FindU, &Unary32<FindU>);
            case "bfe": return Extract(d, i, type);
            case "bfi": return Insert(d, i, type);
            case "prmt" when i.Opcode.Length == 2: return Three(d, i, type, &Ternary32<BytePermutation>);
            case "lop3" when i.Opcode.Length == 2: return Logic(d, i, type);
            case "prmt": return Three(d, i, type, Permutation(i));
            case "sad" when size == 4: return Three(d, i, type, signed ? &Ternary32<SadS> : &Ternary32<SadU>);
            case "mul24": return Two(d, i, type, (i.Has("lo"), signed) switch
            {
                (true, false) => &Binary32<Mul24>,
                (true, true) => &Binary32<Instructions.BitOperations.Mul24S>,
                (_, false) => &Binary32<Instructions.BitOperations.Mul24High>,
                _ => &Binary32<Instructions.BitOperations.Mul24HighS>,
            });
            case "mad24" when i.Has("lo"): return Mad24(d, i, type);
            case "addc" or "subc": return Carry(d, i, type);
            case "madc": return MultiplyCarry(d, i, type);
            case "bmsk": return Two(d, i, type, i.Has("wrap") ? &Binary32<Instructions.BitOperations.MaskWrap> : &Binary32<Instructions.BitOperations.MaskClamp>);
            case "szext": return Two(d, i, type, (i.Has("wrap"), signed) switch
            {
                (true, false) => &Binary32<Instructions.BitOperations.ZeroExtendWrap>,
                (true, true) => &Binary32<Instructions.BitOperations.SignExtendWrap>,
                (_, false) => &Binary32<Instructions.BitOperations.ZeroExtendClamp>,
                _ => &Binary32<Instructions.BitOperations.SignExtendClamp>,
            });
            case "fns": return Three(d, i, PtxType.B32, &Ternary32<Instructions.BitOperations.FindNthSet>);
            default: return false;
        }
    }

    public static bool One(KernelDecoder d, PtxInstruction i, PtxType to, PtxType from, Handler handler)
    {
        d.RequireOperands(2);
        int a = d.Source(i.Operands[1], from);
        d.EmitLanes(handler, d.Destination(i.Operands[0], to), a);
        return true;
    }

    public static bool Two(KernelDecoder d, PtxInstruction i, PtxType type, Handler handler)
    {
        d.RequireOperands(3);
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type);
        d.EmitLanes(handler, d.Destination(i.Operands[0], type), a, b);
        return true;
    }

    public static bool Three(KernelDecoder d, PtxInstruction i, PtxType type, Handler handler)
    {
        d.RequireOperands(4);
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), c = d.Source(i.Operands[3], type);
        d.EmitLanes(handler, d.Destination(i.Operands[0], type), a, b, c);
        return true;
    }

    /// <summary>Addition and subtraction that read or write the carry flag.</summary>
    public static bool Carry(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(3);
        bool reads = i.Name.EndsWith('c');
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), carry = d.CarryFlag;
        d.Emit(
            i.Name.StartsWith("add", StringComparison.Ordinal) ? &Instructions.BitOperations.AddCarry : &Instructions.BitOperations.SubtractBorrow,
            d.Destination(i.Operands[0], type), a, b, reads ? carry : -1, i.Has("cc") ? carry : -1, slot: type.Size() == 8 ? 1 : 0);
        return true;
    }

    /// <summary><c>mad.cc</c>, <c>madc</c>: the low or high half of a product, added with the carry flag.</summary>
    public static bool MultiplyCarry(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(4);
        bool wide = type.Size() == 8, signed = type.IsSigned();
        if (type.Size() == 2 || i.Has("hi") == i.Has("lo")) return false;
        int product = d.NewRow(wide), a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), c = d.Source(i.Operands[3], type);
        d.Emit((i.Has("hi"), wide, signed) switch
        {
            (false, false, _) => &Binary32<Multiply>,
            (false, true, _) => &Binary64<Multiply>,
            (_, false, true) => &Binary32<MultiplyHighS>,
            (_, false, _) => &Binary32<MultiplyHighU>,
            (_, _, true) => &Binary64<MultiplyHighS>,
            _ => &Binary64<MultiplyHighU>,
        }, product, a, b);
        int carry = d.CarryFlag;
        d.Emit(&Instructions.BitOperations.AddCarry, d.Destination(i.Operands[0], type), product, c, i.Name == "madc" ? carry : -1, i.Has("cc") ? carry : -1, slot: wide ? 1 : 0);
        return true;
    }

    private static bool Mad24(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(4);
        int product = d.NewRow(false), a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), c = d.Source(i.Operands[3], type);
        d.Emit(type.IsSigned() ? &Binary32<Instructions.BitOperations.Mul24S> : &Binary32<Mul24>, product, a, b);
        d.Emit(&Binary32<Add>, d.Destination(i.Operands[0], type), product, c);
        return true;
    }

    private static Handler Permutation(PtxInstruction i) => i.Opcode[^1] switch
    {
        "f4e" => &Ternary32<Instructions.BitOperations.PermuteForward>,
        "b4e" => &Ternary32<Instructions.BitOperations.PermuteBackward>,
        "rc8" => &Ternary32<Instructions.BitOperations.PermuteReplicate8>,
        "ecl" => &Ternary32<Instructions.BitOperations.PermuteEdgeLeft>,
        "ecr" => &Ternary32<Instructions.BitOperations.PermuteEdgeRight>,
        _ => &Ternary32<Instructions.BitOperations.PermuteReplicate16>,
    };

    private static bool OnPredicates(KernelDecoder d, PtxInstruction i)
    {
        d.RequireOperands(i.Name == "not" ? 2 : 3);
        int to = d.PredicateDestination(i.Operands[0]);
        var (a, flipA) = d.Predicate(i.Operands[1]);
        if (i.Name == "not")
        {
            d.Emit(&Predicates.Move, to, a, imm: ~flipA);
            return true;
        }
        var (b, flipB) = d.Predicate(i.Operands[2]);
        Handler handler = i.Name switch { "and" => &Predicates.And, "or" => &Predicates.Or, "xor" => &Predicates.Xor, _ => null };
        if (handler == null) return false;
        d.Emit(handler, to, a, b, imm: flipA, slot: (int)flipB);
        return true;
    }

    private static bool Shift(KernelDecoder d, PtxInstruction i, PtxType type, Handler handler)
    {
        d.RequireOperands(3);
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], PtxType.U32);
        d.EmitLanes(handler, d.Destination(i.Operands[0], type), a, b);
        return true;
    }

    private static bool Count(KernelDecoder d, PtxInstruction i, PtxType type, Instructions.BitOperations.Count count, Handler narrow)
    {
        if (type.Size() == 4) return One(d, i, PtxType.U32, type, narrow);
        d.RequireOperands(2);
        d.Emit(&Instructions.BitOperations.Count64, d.Destination(i.Operands[0], PtxType.U32), d.Source(i.Operands[1], type), imm: (ulong)count);
        return true;
    }

    private static bool Extract(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(4);
        bool wide = type.Size() == 8, signed = type.IsSigned();
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], PtxType.U32), c = d.Source(i.Operands[3], PtxType.U32);
        int to = d.Destination(i.Operands[0], type);
        if (wide) d.Emit(&Instructions.BitOperations.Extract64, to, a, b, c, slot: signed ? 1 : 0);
        else d.EmitLanes(signed ? &Ternary32<Instructions.BitOperations.ExtractS> : &Ternary32<Instructions.BitOperations.ExtractU>, to, a, b, c);
        return true;
    }

    private static bool Insert(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(5);
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), c = d.Source(i.Operands[3], PtxType.U32), e = d.Source(i.Operands[4], PtxType.U32);
        d.Emit(type.Size() == 8 ? &Instructions.BitOperations.Insert64 : &Instructions.BitOperations.Insert32, d.Destination(i.Operands[0], type), a, b, c, e);
        return true;
    }

    private static bool Logic(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        d.RequireOperands(5);
        if (i.Operands[4].Kind != OperandKind.Integer) throw d.Error(i.Operands[4].Position, "the table of lop3 is a number");
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), c = d.Source(i.Operands[3], type);
        d.Emit(&Instructions.BitOperations.Logic3, d.Destination(i.Operands[0], type), a, b, c, imm: i.Operands[4].Bits);
        return true;
    }
}
