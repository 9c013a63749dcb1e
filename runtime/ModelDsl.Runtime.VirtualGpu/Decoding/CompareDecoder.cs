using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Comparisons;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary><c>setp</c>, <c>set</c>, <c>slct</c>.</summary>
internal static unsafe class CompareDecoder
{
    public static bool SetPredicate(KernelDecoder d, PtxInstruction i)
    {
        PtxType type = i.Type(d);
        Operand to = i.Operands[0];
        Operand? second = to.Kind == OperandKind.Pair ? to.Items[1] : null;
        if (second != null) to = to.Items[0];
        if (type is PtxType.F16x2 or PtxType.BF16x2)
        {
            // Each half has a predicate of its own.
            var (low, high) = ComparePair(d, i, type);
            d.Emit(&Predicates.Move, d.PredicateDestination(to), low);
            if (second != null) d.Emit(&Predicates.Move, d.PredicateDestination(second), high);
            return true;
        }
        if (second == null && i.Operands.Length == 3)
        {
            Compare(d, i, type, d.PredicateDestination(to));
            return true;
        }
        int result = d.NewPredicate(), first = d.PredicateDestination(to);
        Compare(d, i, type, result);
        var (combined, flip) = i.Operands.Length > 3 ? d.Predicate(i.Operands[3]) : (KernelDecoder.AlwaysTrue, 0u);
        Handler combine = i.Operands.Length == 3 || i.Has("and") ? &Predicates.And : i.Has("or") ? &Predicates.Or : &Predicates.Xor;
        int kept = d.NewPredicate();
        d.Emit(combine, kept, result, combined, slot: (int)flip);
        if (second != null) d.Emit(combine, d.PredicateDestination(second), result, combined, imm: Lanes.All, slot: (int)flip);
        d.Emit(&Predicates.Move, first, kept);
        return true;
    }

    public static bool Set(KernelDecoder d, PtxInstruction i)
    {
        PtxType[] types = i.Types();
        if (types.Length != 2) return false;
        var (to, from) = (types[0], types[1]);
        if (from is PtxType.F16x2 or PtxType.BF16x2) return SetPair(d, i, to, from);
        int result = d.NewPredicate();
        Compare(d, i, from, result);
        Combine(d, i, result);
        ulong one = to switch { PtxType.F32 => 0x3F800000u, PtxType.F16 => 0x3C00u, PtxType.BF16 => 0x3F80u, _ => to.Size() == 2 ? 0xFFFFu : Lanes.All };
        if (to.Size() is not (2 or 4)) return false;
        d.Emit(&Predicates.ToRow, d.Destination(i.Operands[0], to), result, imm: one);
        return true;
    }

    /// <summary>Two comparisons at once: ones and zeros of the pair's type, or all bits of each half.</summary>
    private static bool SetPair(KernelDecoder d, PtxInstruction i, PtxType to, PtxType from)
    {
        if (to.Size() != 4) return false;
        var (low, high) = ComparePair(d, i, from);
        ulong one = to switch { PtxType.F16x2 => 0x3C00u, PtxType.BF16x2 => 0x3F80u, _ => 0xFFFFu };
        int lower = d.NewRow(false), upper = d.NewRow(false);
        d.Emit(&Predicates.ToRow, lower, low, imm: one);
        d.Emit(&Predicates.ToRow, upper, high, imm: one);
        d.Emit(&Elementwise.Binary32<BitOperations.Pack16>, d.Destination(i.Operands[0], PtxType.B32), lower, upper);
        return true;
    }

    private static (int Low, int High) ComparePair(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        PtxType single = type == PtxType.F16x2 ? PtxType.F16 : PtxType.BF16;
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type), low = d.NewPredicate(), high = d.NewPredicate();
        int upperA = d.NewRow(false), upperB = d.NewRow(false);
        d.Emit(&Elementwise.Unary32<BitOperations.HighHalf>, upperA, a);
        d.Emit(&Elementwise.Unary32<BitOperations.HighHalf>, upperB, b);
        Handler handler = Float(i.Opcode[1], false, i.Has("ftz"));
        if (handler == null) throw d.Unsupported();
        d.Emit(handler, low, Extended(d, single, a), Extended(d, single, b));
        d.Emit(handler, high, Extended(d, single, upperA), Extended(d, single, upperB));
        Combine(d, i, low);
        Combine(d, i, high);
        return (low, high);
    }

    /// <summary>Joins a result with the predicate that is a fourth operand.</summary>
    private static void Combine(KernelDecoder d, PtxInstruction i, int result)
    {
        if (i.Operands.Length <= 3) return;
        var (slot, flip) = d.Predicate(i.Operands[3]);
        d.Emit(i.Has("and") ? &Predicates.And : i.Has("or") ? &Predicates.Or : &Predicates.Xor, result, result, slot, slot: (int)flip);
    }

    /// <summary><c>slct</c>: a where c is not negative, else b.</summary>
    public static bool SelectBySign(KernelDecoder d, PtxInstruction i)
    {
        PtxType[] types = i.Types();
        if (types.Length != 2) return false;
        int result = d.NewPredicate(), c = d.Source(i.Operands[3], types[1]), zero = d.Constant(0, false);
        if (types[1] == PtxType.F32) d.Emit(i.Has("ftz") ? &Compare32<Flushed<LessEqualF>> : &Compare32<LessEqualF>, result, zero, c);
        else d.Emit(&Compare32<Not<LessS>>, result, c, zero);
        bool isWide = types[0].Size() == 8;
        d.Emit(isWide ? &Elementwise.Select64 : &Elementwise.Select32, d.Destination(i.Operands[0], types[0]), d.Source(i.Operands[1], types[0]), d.Source(i.Operands[2], types[0]), result);
        return true;
    }

    private static void Compare(KernelDecoder d, PtxInstruction i, PtxType type, int result)
    {
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type);
        switch (type)
        {
            case PtxType.F16 or PtxType.BF16:
                a = Extended(d, type, a);
                b = Extended(d, type, b);
                break;
            case PtxType.S16:
                a = Extended(d, type, a);
                b = Extended(d, type, b);
                break;
        }
        Handler handler = type.IsFloat() ? Float(i.Opcode[1], type.Size() == 8, i.Has("ftz")) : Integer(i.Opcode[1], type.Size() == 8, type.IsSigned());
        if (handler == null) throw d.Unsupported();
        d.Emit(handler, result, a, b);
    }

    private static int Extended(KernelDecoder d, PtxType type, int row)
    {
        int wide = d.NewRow(isWide: false);
        d.Emit(
            type == PtxType.F16 ? &Elementwise.Unary32<HalfOperations.Widen<HalfOperations.F16>>
            : type == PtxType.BF16 ? &Elementwise.Unary32<HalfOperations.Widen<HalfOperations.BF16>>
            : &Elementwise.Unary32<BitOperations.SignExtend16>,
            wide, row);
        return wide;
    }

    private static Handler Integer(string comparison, bool isWide, bool isSigned) => (comparison, isSigned) switch
    {
        ("eq", _) => Pick<Equal>(isWide),
        ("ne", _) => Pick<Not<Equal>>(isWide),
        ("lt", true) => Pick<LessS>(isWide),
        ("le", true) => Pick<Not<Swap<LessS>>>(isWide),
        ("gt", true) => Pick<Swap<LessS>>(isWide),
        ("ge", true) => Pick<Not<LessS>>(isWide),
        ("lt" or "lo", _) => Pick<LessU>(isWide),
        ("le" or "ls", _) => Pick<Not<Swap<LessU>>>(isWide),
        ("gt" or "hi", _) => Pick<Swap<LessU>>(isWide),
        ("ge" or "hs", _) => Pick<Not<LessU>>(isWide),
        _ => null,
    };

    private static Handler Float(string comparison, bool isWide, bool flush) => comparison switch
    {
        "eq" => Pick<EqualF>(isWide, flush),
        "ne" => Pick<NotEqualF>(isWide, flush),
        "lt" => Pick<LessF>(isWide, flush),
        "le" => Pick<LessEqualF>(isWide, flush),
        "gt" => Pick<Swap<LessF>>(isWide, flush),
        "ge" => Pick<Swap<LessEqualF>>(isWide, flush),
        "equ" => Pick<Not<NotEqualF>>(isWide, flush),
        "neu" => Pick<Not<EqualF>>(isWide, flush),
        "ltu" => Pick<Not<Swap<LessEqualF>>>(isWide, flush),
        "leu" => Pick<Not<Swap<LessF>>>(isWide, flush),
        "gtu" => Pick<Not<LessEqualF>>(isWide, flush),
        "geu" => Pick<Not<LessF>>(isWide, flush),
        "num" => Pick<Ordered>(isWide, flush),
        "nan" => Pick<Not<Ordered>>(isWide, flush),
        _ => null,
    };

    private static Handler Pick<T>(bool isWide)
        where T : struct, ICompare => isWide ? &Compare64<T> : &Compare32<T>;

    private static Handler Pick<T>(bool isWide, bool flush)
        where T : struct, ICompare => flush ? Pick<Flushed<T>>(isWide) : Pick<T>(isWide);
}
