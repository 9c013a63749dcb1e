using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary><c>mma.sync</c>, <c>ldmatrix</c>, <c>stmatrix</c>.</summary>
internal static unsafe class MatrixDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i) =>
        i.Name == "wmma" ? WmmaDecoder.Decode(d, i) : i.Name != "mma" ? Tiles(d, i) : i.Has("m8n8k4") && i.Has("f64") ? MultiplyDouble(d, i) : Multiply(d, i);

    /// <summary>Double precision, 8 by 8 by 4: one element of A and of B in each lane, two of the accumulator.</summary>
    public static bool MultiplyDouble(KernelDecoder d, PtxInstruction i)
    {
        d.RequireOperands(4);
        if (Array.Exists(i.Types(), type => type != PtxType.F64)) return false;
        int Row(Operand operand, int at, int count, bool isDestination)
        {
            Operand[] items = operand.Kind == OperandKind.Vector ? operand.Items : [operand];
            if (items.Length != count) throw d.Error(operand.Position, $"this fragment of '{i.FullName}' has {count} registers, not {items.Length}");
            return isDestination ? d.Destination(items[at], PtxType.F64) : d.Source(items[at], PtxType.F64);
        }
        Span<int> rows =
        [
            Row(i.Operands[0], 0, 2, true), Row(i.Operands[0], 1, 2, true), Row(i.Operands[1], 0, 1, false), Row(i.Operands[2], 0, 1, false),
            Row(i.Operands[3], 0, 2, false), Row(i.Operands[3], 1, 2, false),
        ];
        d.Emit(&DoubleMatrixMultiply.Run, target: (nint)d.Kernel.Own(rows));
        return true;
    }

    /// <summary>Emits the product of a tile of 16 rows and one of 8 columns.</summary>
    public static void EmitTile(KernelDecoder d, Handler handler, int[] to, int[] a, int[] b, int[] c, int steps, bool saturate)
    {
        Span<int> operands = stackalloc int[14];
        operands.Clear();
        to.CopyTo(operands);
        a.CopyTo(operands[MatrixMultiply.OperandA..]);
        b.CopyTo(operands[MatrixMultiply.OperandB..]);
        c.CopyTo(operands[MatrixMultiply.OperandC..]);
        d.EmitProduct(handler, operands, steps, saturate);
    }

    private static bool Multiply(KernelDecoder d, PtxInstruction i)
    {
        d.RequireOperands(4);
        PtxType[] types = i.Types();
        if (types.Length != 4 || !i.Has("row") || !i.Has("col") || i.Has("sp")) return false;
        var (to, a, b, from) = (types[0], types[1], types[2], types[3]);
        int k = i.Has("m16n8k4") ? 4 : i.Has("m16n8k8") ? 8 : i.Has("m16n8k16") ? 16 : i.Has("m16n8k32") ? 32 : 0;
        int elements = Elements(a);
        if (elements == 0 || Elements(b) != elements || to != from) return false;
        // A register of A spans four elements times what it holds along k.
        int steps = k / (4 * elements);
        if (steps is not (1 or 2)) return false;
        if (to == PtxType.S32 != IsInteger(a)) return false;
        bool half = to == PtxType.F16 && a == PtxType.F16;
        if (!half && to is not (PtxType.F32 or PtxType.S32)) return false;
        int values = half ? 2 : 4;
        Span<int> operands = stackalloc int[14];
        operands.Clear();
        Fragment(d, i.Operands[0], values, operands, isDestination: true);
        Fragment(d, i.Operands[1], 2 * steps, operands[4..], isDestination: false);
        Fragment(d, i.Operands[2], steps, operands[8..], isDestination: false);
        Fragment(d, i.Operands[3], values, operands[10..], isDestination: false);
        d.EmitProduct(Handler(a, b, half), operands, steps, i.Has("satfinite"));
        return true;
    }

    private static void Fragment(KernelDecoder d, Operand operand, int count, Span<int> rows, bool isDestination)
    {
        Operand[] items = operand.Kind == OperandKind.Vector ? operand.Items : [operand];
        if (items.Length != count) throw d.Error(operand.Position, $"this fragment of '{d.Instruction.FullName}' has {count} registers, not {items.Length}");
        for (int n = 0; n < count; n++) rows[n] = isDestination ? d.Destination(items[n], PtxType.B32) : d.Source(items[n], PtxType.B32);
    }

    /// <summary>Elements of A or B that a register holds; none if there is no such product.</summary>
    public static int Elements(PtxType type) => type switch
    {
        PtxType.F16 or PtxType.BF16 => 2,
        PtxType.TF32 => 1,
        PtxType.E4M3 or PtxType.E5M2 or PtxType.S8 or PtxType.U8 => 4,
        _ => 0,
    };

    private static bool IsInteger(PtxType type) => type is PtxType.S8 or PtxType.U8;

    public static Handler Handler(PtxType a, PtxType b, bool half) => (a, b) switch
    {
        (PtxType.F16, PtxType.F16) when half => &MatrixMultiply.Half<FragmentF16, FragmentF16>,
        (PtxType.F16, PtxType.F16) => &MatrixMultiply.Single<FragmentF16, FragmentF16>,
        (PtxType.BF16, PtxType.BF16) => &MatrixMultiply.Single<FragmentBF16, FragmentBF16>,
        (PtxType.TF32, PtxType.TF32) => &MatrixMultiply.Single<FragmentTF32, FragmentTF32>,
        (PtxType.E4M3, PtxType.E4M3) => &MatrixMultiply.Single<FragmentE4M3, FragmentE4M3>,
        (PtxType.E4M3, PtxType.E5M2) => &MatrixMultiply.Single<FragmentE4M3, FragmentE5M2>,
        (PtxType.E5M2, PtxType.E4M3) => &MatrixMultiply.Single<FragmentE5M2, FragmentE4M3>,
        (PtxType.E5M2, PtxType.E5M2) => &MatrixMultiply.Single<FragmentE5M2, FragmentE5M2>,
        (PtxType.S8, PtxType.S8) => &MatrixMultiply.Integer<FragmentS8, FragmentS8>,
        (PtxType.S8, PtxType.U8) => &MatrixMultiply.Integer<FragmentS8, FragmentU8>,
        (PtxType.U8, PtxType.S8) => &MatrixMultiply.Integer<FragmentU8, FragmentS8>,
        _ => &MatrixMultiply.Integer<FragmentU8, FragmentU8>,
    };

    private static bool Tiles(KernelDecoder d, PtxInstruction i)
    {
        d.RequireOperands(2);
        bool isLoad = i.Name == "ldmatrix", transposed = i.Has("trans");
        if (!i.Has("m8n8") || !i.Has("b16")) return false;
        int tiles = i.Has("x4") ? 4 : i.Has("x2") ? 2 : 1;
        Operand data = i.Operands[isLoad ? 0 : 1], address = i.Operands[isLoad ? 1 : 0];
        Span<int> rows = [-1, -1, -1, -1];
        Fragment(d, data, tiles, rows, isLoad);
        var (row, offset, isWide) = MemoryDecoder.Address(d, address, StateSpace.Shared);
        if (!i.Has("shared") && !i.Has("shared::cta")) throw d.Error("matrix tiles are in .shared");
        Handler handler = (isWide, isLoad, transposed) switch
        {
            (false, true, false) => &MatrixMemory.Load<SharedSpace>,
            (false, true, true) => &MatrixMemory.LoadTransposed<SharedSpace>,
            (false, false, false) => &MatrixMemory.Store<SharedSpace>,
            (false, false, true) => &MatrixMemory.StoreTransposed<SharedSpace>,
            (true, true, false) => &MatrixMemory.Load<SharedSpace64>,
            (true, true, true) => &MatrixMemory.LoadTransposed<SharedSpace64>,
            (true, false, false) => &MatrixMemory.Store<SharedSpace64>,
            (true, false, true) => &MatrixMemory.StoreTransposed<SharedSpace64>,
        };
        if (isLoad) d.EmitTileLoad(handler, tiles, row, rows, offset);
        else d.Emit(handler, tiles, row, rows[0], rows[1], rows[2], rows[3], offset);
        return true;
    }
}
