using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Integers packed in a word: dot products, the SIMD video instructions, <c>cvt.pack</c>.</summary>
internal static unsafe class PackedDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        PtxType[] types = i.Types();
        if (i.Name.StartsWith("dp", StringComparison.Ordinal)) return types.Length == 2 && Dot(d, i, types);
        // Selectors and masks of parts of the operands are written behind the registers; nvcc writes none.
        if (types.Length != 3) return false;
        int parts = char.IsAsciiDigit(i.Name[^1]) ? i.Name[^1] - '0' : 1;
        string name = i.Name[1..].TrimEnd('2', '4');
        PackedOperation operation = name switch
        {
            "add" => PackedOperation.Add,
            "sub" => PackedOperation.Subtract,
            "absdiff" => PackedOperation.AbsoluteDifference,
            "avrg" => PackedOperation.Average,
            "min" => PackedOperation.Min,
            _ => PackedOperation.Max,
        };
        bool sums = i.Opcode[^1] == "add" || (parts == 1 && i.Operands.Length == 4);
        if (parts == 1 && sums && i.Opcode[^1] is not ("add" or "min" or "max")) return false;
        if (parts == 1 && i.Opcode[^1] is "min" or "max") return false;
        d.RequireOperands(parts == 1 && !sums ? 3 : 4);
        int c = i.Operands.Length > 3 ? d.Source(i.Operands[3], PtxType.B32) : -1;
        var spec = new PackedSpec(operation, parts, types[0].IsSigned(), types[1].IsSigned(), types[2].IsSigned(), i.Has("sat"), sums);
        d.Emit(&PackedIntegers.Run, d.Destination(i.Operands[0], PtxType.B32), d.Source(i.Operands[1], PtxType.B32), d.Source(i.Operands[2], PtxType.B32), c, imm: spec.Encode());
        return true;
    }

    /// <summary><c>add</c>, <c>min</c> and <c>max</c> of pairs of 16-bit integers; <c>.relu</c> keeps what is not negative.</summary>
    public static bool Halves(KernelDecoder d, PtxInstruction i, PtxType type)
    {
        PackedOperation? operation = i.Name switch { "add" => PackedOperation.Add, "min" => PackedOperation.Min, "max" => PackedOperation.Max, _ => null };
        if (operation is not { } known) return false;
        d.RequireOperands(3);
        bool signed = type.IsSigned();
        int to = d.Destination(i.Operands[0], PtxType.B32);
        d.Emit(&PackedIntegers.Run, to, d.Source(i.Operands[1], PtxType.B32), d.Source(i.Operands[2], PtxType.B32), -1, imm: new PackedSpec(known, 2, signed, signed, signed, false, false).Encode());
        if (i.Has("relu")) d.Emit(&PackedIntegers.Run, to, to, d.Constant(0, false), -1, imm: new PackedSpec(PackedOperation.Max, 2, true, true, true, false, false).Encode());
        return true;
    }

    /// <summary><c>cvt.pack.sat</c>: two 32-bit integers cut to narrow ones, before the low part of a third where those are bytes.</summary>
    public static bool Pack(KernelDecoder d, PtxInstruction i)
    {
        PtxType[] types = i.Types();
        if (types.Length < 2 || types[1] != PtxType.S32 || types[0].Size() > 2 || !i.Has("sat")) return false;
        d.RequireOperands(3, 4);
        int a = d.Source(i.Operands[1], PtxType.S32), b = d.Source(i.Operands[2], PtxType.S32), c = i.Operands.Length > 3 ? d.Source(i.Operands[3], PtxType.B32) : -1;
        d.Emit(&PackedIntegers.Saturate, d.Destination(i.Operands[0], PtxType.B32), a, b, c, e: types[0].Size() * 8, f: types[0].IsSigned() ? 1 : 0);
        return true;
    }

    private static bool Dot(KernelDecoder d, PtxInstruction i, PtxType[] types)
    {
        bool isHalf = i.Name == "dp2a";
        if (isHalf && !i.Has("lo") && !i.Has("hi")) return false;
        d.RequireOperands(4);
        ulong mode = (types[0].IsSigned() ? 1u : 0) | (types[1].IsSigned() ? 2u : 0) | (isHalf ? 4u : 0) | (isHalf && i.Has("hi") ? 8u : 0);
        int a = d.Source(i.Operands[1], PtxType.B32), b = d.Source(i.Operands[2], PtxType.B32), c = d.Source(i.Operands[3], PtxType.B32);
        d.Emit(&PackedIntegers.Dot, d.Destination(i.Operands[0], PtxType.B32), a, b, c, imm: mode);
        return true;
    }
}
