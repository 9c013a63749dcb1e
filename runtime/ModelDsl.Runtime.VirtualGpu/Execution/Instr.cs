using System.Runtime.InteropServices;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>
/// One decoded instruction, a cache line wide. Operands are byte offsets from <see cref="Warp.Registers"/>; constants and
/// special registers have rows of their own, so a handler only ever sees rows.
/// </summary>
/// <remarks>
/// A handler gets the warp, its instruction and the lanes that take part (never none), and returns the next instruction,
/// or <see cref="Warp.Yield"/> when the scheduler has to decide.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct Instr
{
    public delegate*<Warp*, Instr*, uint, Instr*> Handler;

    /// <summary>Offset of the guard predicate and what flips it.</summary>
    public int Guard;
    public uint GuardFlip;
    public int D, A, B, C, E, F;

    /// <summary>Immediate, address offset or lookup bits.</summary>
    public ulong Imm;

    /// <summary>Branch target, or more operands.</summary>
    public nint Target;

    /// <summary>Which entry of <see cref="Warp.Ranges"/> this instruction may keep its last allocation in; or a small option.</summary>
    public int Slot;

    /// <summary>Where in the PTX text the instruction stands, for reports.</summary>
    public int Source;

    public readonly int* Operands => (int*)Target;
}
