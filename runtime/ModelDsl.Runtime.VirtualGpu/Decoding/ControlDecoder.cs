using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Branches, exits, barriers, fences.</summary>
internal static unsafe class ControlDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "bra":
                d.RequireOperands(1);
                d.EmitBranch(i.Operands[0]);
                return true;
            case "brx":
                d.RequireOperands(2);
                Operand list = i.Operands[1];
                if (list.Kind != OperandKind.Label || i.Scope.FindBranchTargets(list.Name) is not { } labels) throw d.Error(list.Position, "the second operand is a list of .branchtargets");
                d.EmitBranchTable(d.Source(i.Operands[0], PtxType.U32), labels);
                return true;
            case "ret":
                d.EmitReturn();
                return true;
            case "exit":
                d.Emit(&Control.Exit);
                return true;
            case "call":
                return CallDecoder.Decode(d, i);
            case "trap":
                d.Emit(&Control.Trap);
                return true;
            case "bar" or "barrier":
                return Barrier(d, i);
            case "nanosleep":
                d.Emit(&Control.GiveWay);
                return true;
            case "membar" or "fence" or "griddepcontrol" or "brkpt" or "pmevent" or "setmaxnreg":
                d.Emit(&Control.Nothing);
                return true;
            default:
                return false;
        }
    }

    private static bool Barrier(KernelDecoder d, PtxInstruction i)
    {
        if (i.Has("cluster"))
        {
            d.Emit(i.Has("wait") ? &Control.ClusterWait : &Control.ClusterArrive);
            return true;
        }
        if (i.Has("warp"))
        {
            d.RequireOperands(1);
            d.Emit(&Control.WarpSync, a: d.Source(i.Operands[0], PtxType.B32));
            return true;
        }
        int id = i.Operands.Length > (i.Has("red") ? 1 : 0) ? d.Source(i.Operands[i.Has("red") ? 1 : 0], PtxType.U32) : throw d.Error("the barrier's number is missing");
        if (i.Has("sync"))
        {
            d.RequireOperands(1, 2);
            d.Emit(&Control.BarrierSync, a: id, b: i.Operands.Length > 1 ? d.Source(i.Operands[1], PtxType.U32) : -1);
            return true;
        }
        if (i.Has("arrive"))
        {
            d.RequireOperands(2);
            d.Emit(&Control.BarrierArrive, a: id, b: d.Source(i.Operands[1], PtxType.U32));
            return true;
        }
        if (!i.Has("red")) return false;
        d.RequireOperands(3, 4);
        bool count = i.Has("popc");
        var (predicate, flip) = d.Predicate(i.Operands[^1]);
        Vote vote = count ? Vote.Count : i.Has("and") ? Vote.All : Vote.Any;
        int destination = d.Destination(i.Operands[0], count ? PtxType.U32 : PtxType.Pred);
        d.Emit(&Control.BarrierSync, destination, id, i.Operands.Length > 3 ? d.Source(i.Operands[2], PtxType.U32) : -1, predicate, imm: flip, slot: (int)vote);
        return true;
    }
}
