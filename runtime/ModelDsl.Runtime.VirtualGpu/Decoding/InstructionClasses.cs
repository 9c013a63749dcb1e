using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>The class of a PTX instruction, for profiles.</summary>
internal static class InstructionClasses
{
    public static InstructionClass Of(PtxInstruction instruction) => instruction.Name switch
    {
        "ld" or "ldu" or "st" or "atom" or "red" or "cp" or "ldmatrix" or "stmatrix" or "movmatrix" or "prefetch" or "prefetchu" or "discard" or "applypriority" or "tex"
            => InstructionClass.Memory,
        "mma" or "wmma" or "wgmma" => InstructionClass.Matrix,
        "bra" or "brx" or "call" or "ret" or "exit" or "trap" or "bar" or "barrier" or "membar" or "fence" or "nanosleep" or "griddepcontrol" or "brkpt" or "pmevent" or "setmaxnreg" or "mbarrier"
            => InstructionClass.Control,
        "shfl" or "vote" or "match" or "redux" or "activemask" or "elect" => InstructionClass.Warp,
        "mov" or "cvt" or "cvta" or "selp" or "prmt" or "isspacep" or "mapa" => InstructionClass.Move,
        _ => IsFloat(instruction) ? InstructionClass.Float : InstructionClass.Integer,
    };

    private static bool IsFloat(PtxInstruction instruction)
    {
        for (int i = 1; i < instruction.Opcode.Length; i++)
            if (PtxTypes.Parse(instruction.Opcode[i]).IsFloat()) return true;
        return false;
    }
}
