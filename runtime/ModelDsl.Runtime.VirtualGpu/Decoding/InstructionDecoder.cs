using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Sends an instruction to the decoder of its family.</summary>
internal static class InstructionDecoder
{
    public static void Decode(KernelDecoder d)
    {
        PtxInstruction i = d.Instruction;
        bool known = i.Name switch
        {
            "mov" or "cvta" or "selp" or "slct" or "set" or "setp" or "isspacep" or "mapa" or "getctarank" => MoveDecoder.Decode(d, i),
            "add" or "sub" or "mul" or "mad" or "fma" or "div" or "rem" or "min" or "max" or "abs" or "neg" => ArithmeticDecoder.Decode(d, i),
            "and" or "or" or "xor" or "not" or "cnot" or "shl" or "shr" or "shf" or "bfe" or "bfi" or "brev" or "clz" or "popc" or "bfind"
                or "prmt" or "lop3" or "sad" or "mul24" or "mad24" or "addc" or "subc" or "madc" or "fns" or "bmsk" or "szext" => BitDecoder.Decode(d, i),
            "rcp" or "sqrt" or "rsqrt" or "ex2" or "lg2" or "sin" or "cos" or "tanh" or "copysign" or "testp" => FloatDecoder.Decode(d, i),
            "dp4a" or "dp2a" or "vadd" or "vadd2" or "vadd4" or "vsub" or "vsub2" or "vsub4" or "vabsdiff" or "vabsdiff2" or "vabsdiff4" or "vavrg2" or "vavrg4"
                or "vmin" or "vmin2" or "vmin4" or "vmax" or "vmax2" or "vmax4" => PackedDecoder.Decode(d, i),
            "mbarrier" => BarrierObjectDecoder.Decode(d, i),
            "cvt" when i.Has("pack") => PackedDecoder.Pack(d, i),
            "cvt" => ConvertDecoder.Decode(d, i),
            "ld" or "ldu" or "st" or "prefetch" or "prefetchu" or "atom" or "red" or "cp" or "discard" or "applypriority" or "createpolicy" => MemoryDecoder.Decode(d, i),
            "ldmatrix" or "stmatrix" or "mma" or "wmma" => MatrixDecoder.Decode(d, i),
            "wgmma" => WarpgroupDecoder.Decode(d, i),
            "shfl" or "vote" or "match" or "redux" or "activemask" or "elect" => WarpDecoder.Decode(d, i),
            _ => ControlDecoder.Decode(d, i),
        };
        if (!known) throw d.Unsupported();
    }

    /// <summary>Types named in an opcode, in order.</summary>
    public static PtxType[] Types(this PtxInstruction i)
    {
        int count = 0;
        Span<PtxType> types = stackalloc PtxType[i.Opcode.Length];
        for (int k = 1; k < i.Opcode.Length; k++)
        {
            PtxType type = PtxTypes.Parse(i.Opcode[k]);
            if (type != PtxType.None) types[count++] = type;
        }
        return types[..count].ToArray();
    }

    /// <summary>The only (or last) type of an opcode.</summary>
    public static PtxType Type(this PtxInstruction i, KernelDecoder d)
    {
        PtxType type = PtxTypes.Parse(i.Opcode[^1]);
        return type != PtxType.None ? type : throw d.Unsupported();
    }
}
