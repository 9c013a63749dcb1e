using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Instructions on predicates. <c>Imm</c> and <c>Slot</c> flip the sources A and B (<c>!%p</c>).</summary>
internal static unsafe class Predicates
{
    public static Instr* And(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        Lanes.StorePredicate(r + i->D, Left(r, i) & Right(r, i), mask);
        return i + 1;
    }

    public static Instr* Or(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        Lanes.StorePredicate(r + i->D, Left(r, i) | Right(r, i), mask);
        return i + 1;
    }

    public static Instr* Xor(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        Lanes.StorePredicate(r + i->D, Left(r, i) ^ Right(r, i), mask);
        return i + 1;
    }

    public static Instr* Move(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        Lanes.StorePredicate(r + i->D, Left(r, i), mask);
        return i + 1;
    }

    /// <summary>A row of constants <c>Imm</c> where A holds and zero elsewhere: <c>set</c>.</summary>
    public static Instr* ToRow(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        uint p = *(uint*)(r + i->A);
        Vector512<uint> value = Vector512.Create((uint)i->Imm);
        Lanes.Store(r + i->D, Lanes.Mask32(p, 0) & value, Lanes.Mask32(p, 1) & value, mask);
        return i + 1;
    }

    private static uint Left(byte* r, Instr* i) => *(uint*)(r + i->A) ^ (uint)i->Imm;

    private static uint Right(byte* r, Instr* i) => *(uint*)(r + i->B) ^ (uint)i->Slot;
}
