using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// Calls of functions that have a body of their own. Each thread has its frames in its local memory, so threads of a warp may be
/// at the same instruction with different callers. Row D holds the offset of a thread's frame, E is the size of the caller's, and
/// <c>Imm</c> points to the functions.
/// </summary>
internal static unsafe class Calls
{
    /// <summary>
    /// <c>call</c> of function <c>Slot</c>, or (negative) of the one whose address is in row A. Operands: how many copies, then
    /// source offset, offset in the new frame and bytes of each; C is where parameters end.
    /// </summary>
    public static Instr* Call(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        int first = Bits.TrailingZeroCount(mask), number = i->Slot;
        uint group = mask;
        if (number < 0)
        {
            ulong* addresses = (ulong*)(r + i->A);
            for (uint left = mask; left != 0; left &= left - 1)
            {
                int lane = Bits.TrailingZeroCount(left);
                if (addresses[lane] != addresses[first]) group &= ~(1u << lane);
            }
            number = AddressMap.FunctionAt(addresses[first]);
            if (number < 0 || number >= i->F) throw new FaultException(FindingKind.InvalidOperand, $"no function is at 0x{addresses[first]:x}, which is called here", i, first);
        }
        FunctionRecord* function = (FunctionRecord*)i->Imm + number;
        if (function->Code == null || function->ParameterEnd != (uint)i->C) throw new FaultException(FindingKind.InvalidOperand, "the function called through this pointer takes other parameters than the call's prototype says", i, first);
        if (function->Code <= i && --warp->Turn < 0) return WarpScheduler.EndTurn(warp, i);
        ulong* frames = (ulong*)(r + i->D);
        uint size = warp->Block->LocalBytes;
        int* copies = i->Operands;
        for (uint left = group; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong frame = frames[lane] + (uint)i->E;
            if (frame + function->FrameBytes > size) throw new FaultException(FindingKind.OutOfBounds, $"stack overflow: a thread has {size:N0} bytes for its calls, this one needs {frame + function->FrameBytes:N0}", i, lane);
            byte* local = warp->Local + (nuint)lane * size, to = local + frame;
            *(Instr**)to = i + 1;
            *(ulong*)(to + 8) = frames[lane];
            for (int k = 0; k < copies[0]; k++)
            {
                int* copy = copies + 1 + 3 * k;
                Buffer.MemoryCopy(local + frames[lane] + (uint)copy[0], to + copy[1], copy[2], copy[2]);
            }
            if (function->Rows != null) Keep(r, lane, function, to + function->RowsAt);
            frames[lane] = frame;
        }
        return group == warp->Active ? function->Code : WarpScheduler.Diverge(warp, function->Code, group, i);
    }

    /// <summary><c>ret</c> of function <c>Slot</c>: threads go back to where each came from.</summary>
    public static Instr* Return(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        ulong* frames = (ulong*)(r + i->D);
        FunctionRecord* function = (FunctionRecord*)i->Imm + i->Slot;
        uint size = warp->Block->LocalBytes, group = 0;
        Instr* target = null;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            byte* frame = warp->Local + (nuint)lane * size + frames[lane];
            target = target == null ? *(Instr**)frame : target;
            if (*(Instr**)frame != target) continue;
            group |= 1u << lane;
            if (function->Rows != null) GiveBack(r, lane, function, frame + function->RowsAt);
            frames[lane] = *(ulong*)(frame + 8);
        }
        return group == warp->Active ? target : WarpScheduler.Diverge(warp, target, group, i);
    }

    /// <summary>Copies results out of the frame of the call before, which nobody has touched yet.</summary>
    public static Instr* TakeResults(Warp* warp, Instr* i, uint mask)
    {
        ulong* frames = (ulong*)(warp->Registers + i->D);
        uint size = warp->Block->LocalBytes;
        int* copies = i->Operands;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            byte* frame = warp->Local + (nuint)lane * size + frames[lane];
            for (int k = 0; k < copies[0]; k++)
            {
                int* copy = copies + 1 + 3 * k;
                Buffer.MemoryCopy(frame + (uint)i->E + (uint)copy[1], frame + (uint)copy[0], copy[2], copy[2]);
            }
        }
        return i + 1;
    }

    /// <summary><c>brx.idx</c>: the label whose number is in row A. Operands: how many there are, then how far each is from here.</summary>
    public static Instr* BranchIndexed(Warp* warp, Instr* i, uint mask)
    {
        uint* indices = (uint*)(warp->Registers + i->A);
        int first = Bits.TrailingZeroCount(mask);
        uint index = indices[first], group = 0;
        if (index >= (uint)i->Operands[0]) throw new FaultException(FindingKind.InvalidOperand, $"the index of this branch is {index}; there are {i->Operands[0]} targets", i, first);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            if (indices[lane] == index) group |= 1u << lane;
        }
        Instr* target = i + i->Operands[1 + index];
        if (target <= i && --warp->Turn < 0) return WarpScheduler.EndTurn(warp, i);
        return group == warp->Active ? target : WarpScheduler.Diverge(warp, target, group, i);
    }

    private static void Keep(byte* r, int lane, FunctionRecord* function, byte* to)
    {
        int* row = function->Rows;
        for (int k = 0; k < function->Wide; k++, to += 8) *(ulong*)to = ((ulong*)(r + *row++))[lane];
        for (int k = 0; k < function->Narrow; k++, to += 4) *(uint*)to = ((uint*)(r + *row++))[lane];
        for (int k = 0; k < function->Predicates; k++) *to++ = (byte)(*(uint*)(r + *row++) >> lane & 1);
    }

    private static void GiveBack(byte* r, int lane, FunctionRecord* function, byte* from)
    {
        int* row = function->Rows;
        for (int k = 0; k < function->Wide; k++, from += 8) ((ulong*)(r + *row++))[lane] = *(ulong*)from;
        for (int k = 0; k < function->Narrow; k++, from += 4) ((uint*)(r + *row++))[lane] = *(uint*)from;
        for (int k = 0; k < function->Predicates; k++) Lanes.StorePredicate(r + *row++, (uint)*from++ << lane, 1u << lane);
    }
}
