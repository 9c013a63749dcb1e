using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary><c>wgmma</c>: products that four warps make together, from shared memory.</summary>
internal static unsafe class WarpgroupDecoder
{
    private const int AccumulatorRows = 4, ColumnsOfRows = 8;

    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        switch (i.Opcode.Length > 1 ? i.Opcode[1] : "")
        {
            case "fence" or "commit_group" or "wait_group":
                // Products are there at once.
                d.Emit(&Control.Nothing);
                return true;
            case "mma_async":
                return Multiply(d, i);
            default:
                return false;
        }
    }

    /// <summary>D, A (registers or a descriptor), B's descriptor, scale-d, signs of A and B, and for 16-bit types which operands in memory are transposed.</summary>
    private static bool Multiply(KernelDecoder d, PtxInstruction i)
    {
        PtxType[] types = i.Types();
        if (types.Length != 3 || types[0] != PtxType.F32 || i.Has("sp") || Find(types[1], types[2]) is var handler && handler == null) return false;
        string shape = Array.Find(i.Opcode, part => part.StartsWith("m64n", StringComparison.Ordinal)) ?? "";
        int k = shape.IndexOf('k'), elements = MatrixDecoder.Elements(types[1]);
        if (k < 0 || !int.TryParse(shape[4..k], out int columns) || columns is < 8 or > 256 || columns % ColumnsOfRows != 0 || shape[k..] != $"k{8 * elements}") return false;
        Operand[] o = i.Operands;
        bool fromRegisters = o.Length > 1 && o[1].Kind == OperandKind.Vector;
        int transposable = elements == 2 ? fromRegisters ? 1 : 2 : 0;
        d.RequireOperands(6 + transposable);
        var rows = new int[WarpgroupMultiply.OperandSums + columns * AccumulatorRows / ColumnsOfRows];
        if (o[0].Items.Length != rows.Length - WarpgroupMultiply.OperandSums)
            throw d.Error(o[0].Position, $"the accumulator of '{i.FullName}' has {rows.Length - WarpgroupMultiply.OperandSums} registers, not {o[0].Items.Length}");
        for (int n = 0; n < o[0].Items.Length; n++) rows[WarpgroupMultiply.OperandSums + n] = d.Destination(o[0].Items[n], PtxType.F32);
        int flags = 0;
        if (fromRegisters)
        {
            flags |= WarpgroupMultiply.FlagRegisters;
            if (o[1].Items.Length != 4) throw d.Error(o[1].Position, $"A has four registers, not {o[1].Items.Length}");
            for (int n = 0; n < 4; n++) rows[WarpgroupMultiply.OperandFragment + n] = d.Source(o[1].Items[n], PtxType.B32);
        }
        else rows[WarpgroupMultiply.OperandA] = d.Source(o[1], PtxType.B64);
        rows[WarpgroupMultiply.OperandB] = d.Source(o[2], PtxType.B64);
        (int slot, uint flip) = d.Predicate(o[3]);
        (rows[WarpgroupMultiply.OperandScale], rows[WarpgroupMultiply.OperandFlip]) = (slot, (int)flip);
        if (Sign(d, o[4]) != Sign(d, o[5])) flags |= WarpgroupMultiply.FlagNegate;
        if (transposable == 2 && Bit(d, o[6])) flags |= WarpgroupMultiply.FlagTransposeA;
        if (transposable > 0 && Bit(d, o[^1])) flags |= WarpgroupMultiply.FlagTransposeB;
        (rows[WarpgroupMultiply.OperandColumns], rows[WarpgroupMultiply.OperandFlags]) = (columns, flags);
        int* own = d.Kernel.Own(rows);
        if (d.Site != null) d.Site.Operands = (nint)own;
        d.Emit(handler, target: (nint)own);
        return true;
    }

    private static Handler Find(PtxType a, PtxType b) => (a, b) switch
    {
        (PtxType.F16, PtxType.F16) => &WarpgroupMultiply.Run<FragmentF16, FragmentF16>,
        (PtxType.BF16, PtxType.BF16) => &WarpgroupMultiply.Run<FragmentBF16, FragmentBF16>,
        (PtxType.TF32, PtxType.TF32) => &WarpgroupMultiply.Run<FragmentTF32, FragmentTF32>,
        (PtxType.E4M3, PtxType.E4M3) => &WarpgroupMultiply.Run<FragmentE4M3, FragmentE4M3>,
        (PtxType.E4M3, PtxType.E5M2) => &WarpgroupMultiply.Run<FragmentE4M3, FragmentE5M2>,
        (PtxType.E5M2, PtxType.E4M3) => &WarpgroupMultiply.Run<FragmentE5M2, FragmentE4M3>,
        (PtxType.E5M2, PtxType.E5M2) => &WarpgroupMultiply.Run<FragmentE5M2, FragmentE5M2>,
        _ => null,
    };

    private static bool Sign(KernelDecoder d, Operand operand) => operand is { Kind: OperandKind.Integer, Bits: 1 or ulong.MaxValue }
        ? operand.Bits == 1
        : throw d.Error(operand.Position, "the sign of an operand of wgmma is 1 or -1");

    private static bool Bit(KernelDecoder d, Operand operand) => operand is { Kind: OperandKind.Integer, Bits: 0 or 1 }
        ? operand.Bits == 1
        : throw d.Error(operand.Position, "whether an operand of wgmma is transposed is 0 or 1");
}
