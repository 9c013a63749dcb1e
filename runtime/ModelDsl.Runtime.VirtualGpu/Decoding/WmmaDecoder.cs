using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using static ModelDsl.Runtime.VirtualGpu.Instructions.Elementwise;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>
/// <c>wmma.load</c>, <c>wmma.store</c>, <c>wmma.mma</c>. Fragments lie as those of <c>mma.sync</c> do, in tiles of 16 by 8: two side by
/// side for 16 by 16, two above each other for 32 by 8, and transposed for 8 by 32. So loads and stores are plain ones at an
/// address per lane, and a multiplication is one or two of <c>mma</c>.
/// </summary>
internal static unsafe class WmmaDecoder
{
    /// <summary>How a fragment lies in memory: along G goes the lane's number over four, along T the rest of it times <c>Pack</c>.</summary>
    /// <param name="Pack">Elements next to each other along T in a lane.</param>
    /// <param name="Places">Offset along G and T of each register's first element.</param>
    private readonly record struct Layout(bool RowsAlongG, int Pack, (int G, int T)[] Places);

    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        if (Shape(i) is not { } shape) return false;
        return i.Opcode[1] switch
        {
            "mma" => Multiply(d, i, shape),
            "load" => Transfer(d, i, shape, isLoad: true),
            "store" => Transfer(d, i, shape, isLoad: false),
            _ => false,
        };
    }

    private static (int M, int N, int K)? Shape(PtxInstruction i) =>
        i.Has("m16n16k16") ? (16, 16, 16) : i.Has("m32n8k16") ? (32, 8, 16) : i.Has("m8n32k16") ? (8, 32, 16)
        : i.Has("m16n16k8") ? (16, 16, 8) : i.Has("m8n8k4") ? (8, 8, 4) : null;

    private static bool Multiply(KernelDecoder d, PtxInstruction i, (int M, int N, int K) shape)
    {
        d.RequireOperands(4);
        PtxType[] types = i.Types();
        // Halves name the types of D and C only.
        if (types.Length == 2) types = [types[0], PtxType.F16, PtxType.F16, types[1]];
        if (types.Length != 4 || i.Has("xor") || i.Has("and")) return false;
        var (to, a, b, from) = (types[0], types[1], types[2], types[3]);
        if (shape.M == 8 && shape.N == 8) return MatrixDecoder.MultiplyDouble(d, i);
        int steps = shape.K / (4 * MatrixDecoder.Elements(a));
        bool half = to == PtxType.F16 && from == PtxType.F16, isTransposed = shape.M == 8;
        int values = half ? 2 : 4;
        int[] rowsA = Rows(d, i.Operands[1], false), rowsB = Rows(d, i.Operands[2], false);
        int[] rowsD = Rows(d, i.Operands[0], true), rowsC = Rows(d, i.Operands[3], false);
        if (from != to) (rowsC, rowsD) = (from == PtxType.F16 ? Widen(d, rowsC) : rowsC, to == PtxType.F16 ? [.. Enumerable.Range(0, 8).Select(_ => d.NewRow(false))] : rowsD);
        int[] tall = isTransposed ? rowsB : rowsA, wide = isTransposed ? rowsA : rowsB;
        bool isStacked = shape.M != 16;
        int tallSize = 2 * steps, wideSize = steps;
        if (tall.Length < tallSize * (isStacked ? 2 : 1) || wide.Length < wideSize * (isStacked ? 1 : 2) || rowsC.Length != 2 * values || rowsD.Length != 2 * values)
            throw d.Error($"the fragments of '{i.FullName}' have other numbers of registers");
        // What the first tile writes must not be what the second reads.
        bool overlaps = rowsD[..values].Intersect(rowsC[values..].Concat(rowsA).Concat(rowsB)).Any();
        int[] first = overlaps ? [.. rowsD[..values].Select(_ => d.NewRow(false))] : rowsD[..values];
        var (typeTall, typeWide) = isTransposed ? (b, a) : (a, b);
        MatrixDecoder.EmitTile(d, MatrixDecoder.Handler(typeTall, typeWide, half), first, tall[..tallSize], wide[..wideSize], rowsC[..values], steps, i.Has("satfinite"));
        MatrixDecoder.EmitTile(
            d, MatrixDecoder.Handler(typeTall, typeWide, half), rowsD[values..], isStacked ? tall[tallSize..(2 * tallSize)] : tall[..tallSize],
            isStacked ? wide[..wideSize] : wide[wideSize..(2 * wideSize)], rowsC[values..], steps, i.Has("satfinite"));
        if (overlaps)
            for (int k = 0; k < values; k++) MoveDecoder.Copy(d, rowsD[k], first[k], isWide: false);
        if (to == PtxType.F16 && from != to) Narrow(d, rowsD, Rows(d, i.Operands[0], true));
        return true;
    }

    private static int[] Widen(KernelDecoder d, int[] pairs)
    {
        int[] rows = [.. Enumerable.Range(0, 2 * pairs.Length).Select(_ => d.NewRow(false))];
        for (int k = 0; k < pairs.Length; k++)
        {
            d.Emit(&Unary32<HalfOperations.Widen<HalfOperations.F16>>, rows[2 * k], pairs[k]);
            d.Emit(&Unary32<BitOperations.HighHalf>, rows[2 * k + 1], pairs[k]);
            d.Emit(&Unary32<HalfOperations.Widen<HalfOperations.F16>>, rows[2 * k + 1], rows[2 * k + 1]);
        }
        return rows;
    }

    private static void Narrow(KernelDecoder d, int[] singles, int[] pairs)
    {
        for (int k = 0; k < pairs.Length; k++) d.Emit(&Binary32<HalfOperations.Pack<HalfOperations.F16>>, pairs[k], singles[2 * k + 1], singles[2 * k]);
    }

    private static int[] Rows(KernelDecoder d, Operand operand, bool isDestination)
    {
        Operand[] items = operand.Kind == OperandKind.Vector ? operand.Items : [operand];
        var rows = new int[items.Length];
        for (int k = 0; k < rows.Length; k++)
        {
            PtxType type = d.RegisterType(items[k]) is PtxType.F64 or PtxType.B64 ? PtxType.B64 : PtxType.B32;
            rows[k] = isDestination ? d.Destination(items[k], type) : d.Source(items[k], type);
        }
        return rows;
    }

    private static bool Transfer(KernelDecoder d, PtxInstruction i, (int M, int N, int K) shape, bool isLoad)
    {
        d.RequireOperands(2, 3);
        PtxType type = i.Type(d);
        char matrix = i.Opcode[2][0];
        bool isRow = i.Has("row");
        if (matrix is not ('a' or 'b' or 'c' or 'd') || isRow == i.Has("col")) return false;
        int[] rows = Rows(d, i.Operands[isLoad ? 0 : 1], isLoad);
        Operand at = i.Operands[isLoad ? 1 : 0];
        Layout layout = Find(matrix, shape, type);
        int size = type.Size();
        StateSpace space = MemoryDecoder.Space(i);
        int columns = matrix == 'a' ? shape.K : shape.N, height = matrix == 'b' ? shape.K : shape.M;
        var addresses = new LaneAddresses(d, at, space, i.Operands.Length > 2 ? i.Operands[2] : null, isRow ? columns : height, size, layout.RowsAlongG == isRow, layout.Pack);
        int held = type == PtxType.F16 && matrix is 'a' or 'b' ? Math.Min(rows.Length, layout.Places.Length) : layout.Places.Length;
        if (rows.Length < held) throw d.Error($"this fragment of '{i.FullName}' has {held} registers, not {rows.Length}");
        PtxType register = size == 8 ? PtxType.B64 : PtxType.B32;
        // Accumulators of 32 bits and more have a register for each element, everything else as many as fit in one.
        int perRegister = size >= 4 ? 1 : 4 / size;
        for (int k = 0; k < held; k++)
        {
            var (g, t) = layout.Places[k];
            if (perRegister == 1 || addresses.IsContiguous) addresses.Emit(isLoad, register, rows[k], g, t);
            else if (isLoad) Gather(d, addresses, type, rows[k], g, t);
            else Scatter(d, addresses, rows[k], g, t);
        }
        // Fragments of halves have eight registers whatever their shape; hardware holds elements several times.
        for (int k = held; isLoad && k < rows.Length; k++) MoveDecoder.Copy(d, rows[k], rows[k % held], isWide: false);
        return true;
    }

    private static Layout Find(char matrix, (int M, int N, int K) shape, PtxType type)
    {
        bool isTransposed = shape is { M: 8, N: 32 }, isDouble = shape is { M: 8, N: 8 };
        if (matrix is 'c' or 'd')
        {
            if (isDouble) return new Layout(true, 2, [(0, 0), (0, 1)]);
            bool half = type == PtxType.F16;
            var places = new List<(int, int)>();
            for (int tile = 0; tile < 2; tile++)
            {
                var (g, t) = shape.M == 16 ? (0, 8 * tile) : (16 * tile, 0);
                places.AddRange(half ? [(g, t), (g + 8, t)] : [(g, t), (g, t + 1), (g + 8, t), (g + 8, t + 1)]);
            }
            return new Layout(!isTransposed, 2, [.. places]);
        }
        if (isDouble) return new Layout(matrix == 'a', 1, [(0, 0)]);
        int pack = MatrixDecoder.Elements(type == PtxType.B32 ? PtxType.TF32 : type), steps = shape.K / (4 * pack);
        bool isTall = matrix == 'a' != isTransposed;
        int tiles = isTall == (shape.M == 16) ? 1 : 2;
        var held = new List<(int, int)>();
        for (int tile = 0; tile < tiles; tile++)
        {
            for (int step = 0; step < steps; step++)
            {
                held.Add(((isTall ? 16 : 8) * tile, 4 * pack * step));
                if (isTall) held.Add((16 * tile + 8, 4 * pack * step));
            }
        }
        return new Layout(matrix == 'a', pack, [.. held]);
    }

    /// <summary>Elements of a register that are a stride apart in memory.</summary>
    private static void Gather(KernelDecoder d, LaneAddresses addresses, PtxType type, int row, int g, int t)
    {
        int Part(int e)
        {
            int part = d.NewRow(false);
            addresses.Emit(true, type.Size() == 1 ? PtxType.U8 : PtxType.U16, part, g, t + e);
            return part;
        }
        if (type.Size() == 2)
        {
            d.Emit(&Binary32<BitOperations.Pack16>, row, Part(0), Part(1));
            return;
        }
        int low = d.NewRow(false), high = d.NewRow(false);
        d.Emit(&Binary32<BitOperations.PackBytes>, low, Part(0), Part(1));
        d.Emit(&Binary32<BitOperations.PackBytes>, high, Part(2), Part(3));
        d.Emit(&Binary32<BitOperations.Pack16>, row, low, high);
    }

    /// <summary>Only accumulators are stored, so these are two halves.</summary>
    private static void Scatter(KernelDecoder d, LaneAddresses addresses, int row, int g, int t)
    {
        int high = d.NewRow(false);
        d.Emit(&Unary32<BitOperations.HighHalf>, high, row);
        addresses.Emit(false, PtxType.U16, row, g, t);
        addresses.Emit(false, PtxType.U16, high, g, t + 1);
    }
}
