using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary><c>mbarrier</c>: barriers that are words in shared memory, and the bulk copies that arrive at them.</summary>
internal static unsafe class BarrierObjectDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        Operand[] o = i.Operands;
        switch (i.Opcode[1])
        {
            case "expect_tx" or "complete_tx":
                d.RequireOperands(2);
                return Emit(d, i, o[0], i.Opcode[1] == "expect_tx" ? BarrierAction.Expect : BarrierAction.Complete, -1, d.Source(o[1], PtxType.U32));
            case "arrive" when i.Has("expect_tx"):
                int place = o.Length > 0 && o[0].Kind != OperandKind.Address ? 1 : 0;
                d.RequireOperands(place + 2);
                return Emit(d, i, o[place], BarrierAction.Expect, -1, d.Source(o[place + 1], PtxType.U32))
                    && Emit(d, i, o[place], BarrierAction.Arrive, place == 1 && o[0].Kind != OperandKind.Sink ? d.Destination(o[0], PtxType.B64) : -1, d.Constant(1, false));
            case "init":
                d.RequireOperands(2);
                return Emit(d, i, o[0], BarrierAction.Initialise, -1, d.Source(o[1], PtxType.U32));
            case "inval":
                d.RequireOperands(1);
                return Emit(d, i, o[0], BarrierAction.Invalidate, -1, -1);
            case "arrive" or "arrive_drop":
                bool returns = o.Length > 0 && o[0].Kind != OperandKind.Address;
                int at = returns ? 1 : 0;
                d.RequireOperands(at + 1, at + 2);
                int state = returns && o[0].Kind != OperandKind.Sink ? d.Destination(o[0], PtxType.B64) : -1, count = o.Length > at + 1 ? d.Source(o[at + 1], PtxType.U32) : d.Constant(1, false);
                return Emit(d, i, o[at], i.Opcode[1] == "arrive" ? BarrierAction.Arrive : BarrierAction.Drop, state, count, isFinal: !i.Has("noComplete"));
            case "test_wait" or "try_wait":
                d.RequireOperands(3, 4);
                bool parity = i.Has("parity");
                return Emit(d, i, o[1], parity ? BarrierAction.TestParity : BarrierAction.Test, d.PredicateDestination(o[0]), d.Source(o[2], parity ? PtxType.U32 : PtxType.B64));
            case "pending_count":
                d.RequireOperands(2);
                d.Emit(&BarrierObjects.PendingCount, d.Destination(o[0], PtxType.U32), d.Source(o[1], PtxType.B64));
                return true;
            default:
                return false;
        }
    }

    /// <summary><c>cp.async.mbarrier.arrive</c>: copies are done already, so a thread that is not counted beforehand changes nothing.</summary>
    public static bool ArriveAfterCopies(KernelDecoder d, PtxInstruction i)
    {
        d.RequireOperands(1);
        if (i.Has("noinc")) return Emit(d, i, i.Operands[0], BarrierAction.Arrive, -1, d.Constant(1, false));
        d.Emit(&Control.Nothing);
        return true;
    }

    /// <summary>
    /// <c>cp.async.bulk</c> between global and shared memory: done at once, then its bytes are taken off what the mbarrier expects.
    /// </summary>
    public static bool BulkCopy(KernelDecoder d, PtxInstruction i)
    {
        if (i.Has("tensor") || i.Has("multicast::cluster")) return false;
        if (i.Has("commit_group") || i.Has("wait_group") || i.Has("prefetch"))
        {
            d.Emit(&Control.Nothing);
            return true;
        }
        int shared = Array.FindIndex(i.Opcode, part => part.StartsWith("shared", StringComparison.Ordinal)), global = Array.IndexOf(i.Opcode, "global");
        if (shared < 0 || global < 0) return false;
        bool toShared = shared < global;
        Operand[] o = i.Operands;
        d.RequireOperands(toShared ? 4 : 3, 5);
        var (sharedRow, sharedOffset, sharedWide) = MemoryDecoder.Address(d, o[toShared ? 0 : 1], StateSpace.Shared);
        var (globalRow, globalOffset, _) = MemoryDecoder.Address(d, o[toShared ? 1 : 0], StateSpace.Global);
        int size = d.Source(o[2], PtxType.U32);
        if (d.Site != null) d.Site.SizeRow = size;
        d.Emit(&AsyncCopy.Bulk, sharedRow, globalRow, size, (int)sharedOffset, toShared ? 1 : 0, sharedWide ? 1 : 0, globalOffset, slot: d.NewRange());
        if (!toShared) return true;
        var (row, offset, isWide) = MemoryDecoder.Address(d, o[3], StateSpace.Shared);
        d.Emit(isWide ? &BarrierObjects.Run<SharedSpace64> : &BarrierObjects.Run<SharedSpace>, -1, row, size, e: (int)BarrierAction.Complete, imm: offset, slot: d.NewRange());
        return true;
    }

    private static bool Emit(KernelDecoder d, PtxInstruction i, Operand address, BarrierAction action, int to, int value, bool isFinal = true)
    {
        StateSpace space = MemoryDecoder.Space(i);
        var (row, offset, isWide) = MemoryDecoder.Address(d, address, space);
        Handler handler = (space, isWide) switch
        {
            (StateSpace.Shared, false) => &BarrierObjects.Run<SharedSpace>,
            (StateSpace.Shared, true) => &BarrierObjects.Run<SharedSpace64>,
            (StateSpace.Generic, _) => &BarrierObjects.Run<GenericSpace>,
            _ => null,
        };
        if (handler == null) return false;
        d.Emit(handler, to, row, value, e: (int)action, f: isFinal ? 1 : 0, imm: offset, slot: d.NewRange());
        return true;
    }
}
