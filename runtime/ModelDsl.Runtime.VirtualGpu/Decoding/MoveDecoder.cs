using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Moves, address space conversions and selections.</summary>
internal static unsafe class MoveDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "mov":
                d.RequireOperands(2);
                return Move(d, i);
            case "cvta":
                d.RequireOperands(2);
                return ConvertAddress(d, i);
            case "isspacep":
                d.RequireOperands(2);
                return IsInSpace(d, i);
            case "mapa":
                d.RequireOperands(3);
                PtxType mapped = i.Type(d);
                int address = d.Source(i.Operands[1], mapped), of = d.Source(i.Operands[2], PtxType.U32);
                d.Emit(mapped.Size() == 8 ? &ClusterAddresses.Map64 : &ClusterAddresses.Map32, d.Destination(i.Operands[0], mapped), address, of);
                return true;
            case "getctarank":
                d.RequireOperands(2);
                PtxType asked = i.Has("shared::cluster") ? d.RegisterType(i.Operands[1]) : PtxType.U64;
                int where = d.Source(i.Operands[1], asked.Size() == 8 ? PtxType.U64 : PtxType.U32);
                d.Emit(&ClusterAddresses.Rank, d.Destination(i.Operands[0], PtxType.U32), where, e: asked.Size() == 8 ? 1 : 0);
                return true;
            case "selp":
                d.RequireOperands(4);
                return Select(d, i);
            case "setp":
                d.RequireOperands(3, 4);
                return CompareDecoder.SetPredicate(d, i);
            case "set":
                d.RequireOperands(3, 4);
                return CompareDecoder.Set(d, i);
            case "slct":
                d.RequireOperands(4);
                return CompareDecoder.SelectBySign(d, i);
            default:
                return false;
        }
    }

    /// <summary>Copies a row of this type.</summary>
    public static void Copy(KernelDecoder d, int to, int from, bool isWide)
    {
        d.Site?.AddWrite(to, isPredicate: false);
        d.EmitLanes(isWide ? &Elementwise.Unary64<IntegerOperations.Copy> : &Elementwise.Unary32<IntegerOperations.Copy>, to, from);
    }

    private static bool Move(KernelDecoder d, PtxInstruction i)
    {
        PtxType type = i.Type(d);
        var (to, from) = (i.Operands[0], i.Operands[1]);
        if (type == PtxType.Pred)
        {
            var (slot, flip) = d.Predicate(from);
            d.Emit(&Predicates.Move, d.PredicateDestination(to), slot, imm: flip);
            return true;
        }
        if (to.Kind == OperandKind.Vector) return Unpack(d, type, to, from);
        if (from.Kind == OperandKind.Vector) return Pack(d, type, to, from);
        if (from.Kind == OperandKind.Special && from.Name is "%clock" or "%clock64" or "%clock_hi" or "%globaltimer" or "%globaltimer_lo" or "%globaltimer_hi")
        {
            d.Emit(&Control.Clock, d.Destination(to, type), e: type.Size() == 8 ? 1 : 0);
            return true;
        }
        Copy(d, d.Destination(to, type), d.Source(from, type), type.Size() == 8);
        return true;
    }

    private static bool Pack(KernelDecoder d, PtxType type, Operand to, Operand from)
    {
        Operand[] items = from.Items;
        int destination = d.Destination(to, type);
        switch (type.Size(), items.Length)
        {
            case (8, 2):
                d.Emit(&Elementwise.Join64, destination, d.Source(items[0], PtxType.B32), d.Source(items[1], PtxType.B32));
                return true;
            case (4, 2):
                d.Emit(&Elementwise.Binary32<BitOperations.Pack16>, destination, d.Source(items[0], PtxType.B16), d.Source(items[1], PtxType.B16));
                return true;
            case (8, 4):
                int low = d.NewRow(false), high = d.NewRow(false);
                d.Emit(&Elementwise.Binary32<BitOperations.Pack16>, low, d.Source(items[0], PtxType.B16), d.Source(items[1], PtxType.B16));
                d.Emit(&Elementwise.Binary32<BitOperations.Pack16>, high, d.Source(items[2], PtxType.B16), d.Source(items[3], PtxType.B16));
                d.Emit(&Elementwise.Join64, destination, low, high);
                return true;
            default:
                return false;
        }
    }

    private static bool Unpack(KernelDecoder d, PtxType type, Operand to, Operand from)
    {
        Operand[] items = to.Items;
        int source = d.Source(from, type);
        switch (type.Size(), items.Length)
        {
            case (8, 2):
                d.Emit(&Elementwise.Split64, d.Destination(items[0], PtxType.B32), source, e: d.Destination(items[1], PtxType.B32));
                return true;
            case (4, 2):
                Halves(d, source, items[0], items[1]);
                return true;
            case (8, 4):
                int low = d.NewRow(false), high = d.NewRow(false);
                d.Emit(&Elementwise.Split64, low, source, e: high);
                Halves(d, low, items[0], items[1]);
                Halves(d, high, items[2], items[3]);
                return true;
            default:
                return false;
        }
    }

    private static void Halves(KernelDecoder d, int source, Operand low, Operand high)
    {
        d.Emit(&Elementwise.Unary32<BitOperations.LowHalf>, d.Destination(low, PtxType.B16), source);
        d.Emit(&Elementwise.Unary32<BitOperations.HighHalf>, d.Destination(high, PtxType.B16), source);
    }

    private static bool ConvertAddress(KernelDecoder d, PtxInstruction i)
    {
        if (i.Type(d).Size() != 8) return false;
        int to = d.Destination(i.Operands[0], PtxType.U64), from = d.Source(i.Operands[1], PtxType.U64);
        ulong window = i.Has("shared") || i.Has("shared::cta") || i.Has("shared::cluster") ? AddressMap.SharedWindow : i.Has("local") ? AddressMap.LocalWindow : i.Has("param") ? AddressMap.ParameterWindow : 0;
        if (window == 0) Copy(d, to, from, isWide: true);
        else d.Emit(&Elementwise.Binary64<IntegerOperations.Add>, to, from, d.Constant(i.Has("to") ? 0 - window : window, true));
        return true;
    }

    private static bool IsInSpace(KernelDecoder d, PtxInstruction i)
    {
        int to = d.PredicateDestination(i.Operands[0]), address = d.Source(i.Operands[1], PtxType.U64), offset = d.NewRow(isWide: true);
        bool isGlobal = i.Has("global");
        ulong start = i.Has("shared") || i.Has("shared::cta") || i.Has("shared::cluster") ? AddressMap.SharedWindow : i.Has("local") || isGlobal ? AddressMap.LocalWindow : ulong.MaxValue;
        if (start == ulong.MaxValue) return false;
        d.Emit(&Elementwise.Binary64<IntegerOperations.Subtract>, offset, address, d.Constant(start, true));
        // Local and shared windows follow each other; what is in neither is global.
        int size = d.Constant(isGlobal ? 2 * AddressMap.WindowBytes : AddressMap.WindowBytes, true);
        if (isGlobal) d.Emit(&Comparisons.Compare64<Comparisons.Not<Comparisons.LessU>>, to, offset, size);
        else d.Emit(&Comparisons.Compare64<Comparisons.LessU>, to, offset, size);
        return true;
    }

    private static bool Select(KernelDecoder d, PtxInstruction i)
    {
        PtxType type = i.Type(d);
        bool isWide = type.Size() == 8;
        int a = d.Source(i.Operands[1], type), b = d.Source(i.Operands[2], type);
        var (slot, flip) = d.Predicate(i.Operands[3]);
        d.Emit(isWide ? &Elementwise.Select64 : &Elementwise.Select32, d.Destination(i.Operands[0], type), a, b, slot, imm: flip);
        return true;
    }
}
