using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Exchange between lanes.</summary>
internal static unsafe class WarpDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        Operand[] o = i.Operands;
        switch (i.Name)
        {
            case "activemask":
                d.RequireOperands(1);
                d.Emit(&Control.ActiveMask, d.Destination(o[0], PtxType.B32));
                return true;
            case "elect":
                d.RequireOperands(2);
                var (leader, isLeader) = Pair(d, o[0]);
                d.Emit(&WarpOperations.Elect, leader, e: d.Source(o[1], PtxType.B32), f: isLeader);
                return true;
            case "shfl":
                d.RequireOperands(i.Has("sync") ? 5 : 4);
                var (value, predicate) = Pair(d, o[0]);
                if (i.Has("bfly") && predicate < 0 && o[2] is { Kind: OperandKind.Integer, Bits: < 32 } distance && o[3] is { Kind: OperandKind.Integer, Bits: 31 })
                {
                    d.Emit(&WarpOperations.Exchange, value, d.Source(o[1], PtxType.B32), e: o.Length > 4 ? d.Source(o[4], PtxType.B32) : -1, imm: distance.Bits);
                    return true;
                }
                d.Emit(
                    &WarpOperations.Shuffle, value, d.Source(o[1], PtxType.B32), d.Source(o[2], PtxType.B32), d.Source(o[3], PtxType.B32),
                    o.Length > 4 ? d.Source(o[4], PtxType.B32) : -1, predicate, imm: (ulong)Mode(i));
                return true;
            case "vote":
                return Vote(d, i);
            case "match":
                d.RequireOperands(3);
                PtxType type = i.Has("b64") ? PtxType.B64 : PtxType.B32;
                var (mask, all) = Pair(d, o[0]);
                d.Emit(
                    &WarpOperations.Match, mask, d.Source(o[1], type), e: d.Source(o[2], PtxType.B32), f: all,
                    imm: i.Has("all") ? 1u : 0, slot: type == PtxType.B64 ? 1 : 0);
                return true;
            case "redux":
                d.RequireOperands(3);
                d.Emit(
                    &WarpOperations.Reduce, d.Destination(o[0], PtxType.B32), d.Source(o[1], PtxType.B32), e: d.Source(o[2], PtxType.B32),
                    imm: (ulong)Reduction(i, d));
                return true;
            default:
                return false;
        }
    }

    private static WarpOperations.ShuffleMode Mode(PtxInstruction i) =>
        i.Has("up") ? WarpOperations.ShuffleMode.Up : i.Has("down") ? WarpOperations.ShuffleMode.Down
        : i.Has("bfly") ? WarpOperations.ShuffleMode.Butterfly : WarpOperations.ShuffleMode.Index;

    private static WarpOperations.ReduxMode Reduction(PtxInstruction i, KernelDecoder d)
    {
        bool signed = i.Type(d).IsSigned();
        return i.Has("add") ? WarpOperations.ReduxMode.Add
            : i.Has("min") ? (signed ? WarpOperations.ReduxMode.MinS : WarpOperations.ReduxMode.MinU)
            : i.Has("max") ? (signed ? WarpOperations.ReduxMode.MaxS : WarpOperations.ReduxMode.MaxU)
            : i.Has("and") ? WarpOperations.ReduxMode.And
            : i.Has("or") ? WarpOperations.ReduxMode.Or
            : WarpOperations.ReduxMode.Xor;
    }

    private static bool Vote(KernelDecoder d, PtxInstruction i)
    {
        d.RequireOperands(i.Has("sync") ? 3 : 2);
        bool ballot = i.Has("ballot");
        var (slot, flip) = d.Predicate(i.Operands[1]);
        WarpOperations.VoteMode mode = ballot ? WarpOperations.VoteMode.Ballot
            : i.Has("all") ? WarpOperations.VoteMode.All : i.Has("any") ? WarpOperations.VoteMode.Any : WarpOperations.VoteMode.Uniform;
        d.Emit(
            &WarpOperations.Vote, d.Destination(i.Operands[0], ballot ? PtxType.B32 : PtxType.Pred), slot,
            e: i.Operands.Length > 2 ? d.Source(i.Operands[2], PtxType.B32) : -1, imm: (ulong)mode, slot: (int)flip);
        return true;
    }

    private static (int Value, int Predicate) Pair(KernelDecoder d, Operand operand) => operand.Kind == OperandKind.Pair
        ? (d.Destination(operand.Items[0], PtxType.B32), d.PredicateDestination(operand.Items[1]))
        : (d.Destination(operand, PtxType.B32), -1);
}
