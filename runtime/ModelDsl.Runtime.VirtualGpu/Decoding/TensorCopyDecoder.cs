using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary><c>cp.async.bulk.tensor</c>, its reducing form <c>cp.reduce.async.bulk.tensor</c> and the prefetch of tiles.</summary>
internal static unsafe class TensorCopyDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        if (Array.Exists(i.Opcode, part => part.StartsWith("im2col", StringComparison.Ordinal) || part.StartsWith("tile::", StringComparison.Ordinal))) return false;
        if (i.Has("prefetch"))
        {
            d.Emit(&Control.Nothing);
            return true;
        }
        int rank = Array.FindIndex(Ranks, name => i.Has(name)) + 1;
        bool isLoad = i.Has("mbarrier::complete_tx::bytes"), isMulticast = i.Has("multicast::cluster");
        TensorCopyKind? kind = isLoad ? TensorCopyKind.Load : i.Opcode[1] == "reduce" ? Reduction(i) : TensorCopyKind.Store;
        if (rank == 0 || kind == null || (!isLoad && !i.Has("bulk_group"))) return false;
        // A cache policy may follow; it changes nothing here.
        Operand[] o = i.Operands;
        d.RequireOperands(isLoad ? isMulticast ? 4 : 3 : 2, isLoad ? isMulticast ? 5 : 4 : 3);
        Operand tile = o[isLoad ? 0 : 1], map = o[isLoad ? 1 : 0];
        if (map is not { Kind: OperandKind.Address, Items: [_, { Kind: OperandKind.Vector } coordinates] }) throw d.Error(map.Position, "a tensor map and coordinates are wanted here: [map, {x, y}]");
        if (coordinates.Items.Length != rank) throw d.Error(coordinates.Position, $"'{i.FullName}' takes {rank} coordinates, not {coordinates.Items.Length}");
        var operands = new int[TensorCopy.OperandCoordinates + rank];
        (operands[TensorCopy.OperandKind], operands[TensorCopy.OperandRank], operands[TensorCopy.OperandMulticast]) = ((int)kind, rank, -1);
        Shared(d, tile, operands.AsSpan(TensorCopy.OperandShared));
        if (isLoad) Shared(d, o[2], operands.AsSpan(TensorCopy.OperandBarrier));
        if (isMulticast) operands[TensorCopy.OperandMulticast] = d.Source(o[3], PtxType.B16);
        for (int n = 0; n < rank; n++) operands[TensorCopy.OperandCoordinates + n] = d.Source(coordinates.Items[n], PtxType.S32);
        var (row, offset, _) = MemoryDecoder.Address(d, map with { Items = [map.Items[0]] }, StateSpace.Generic);
        if (!isLoad && kind != TensorCopyKind.Store) d.Kernel.IsOrderDependent = true;
        int* own = d.Kernel.Own(operands);
        if (d.Site != null) d.Site.Operands = (nint)own;
        d.Emit(&TensorCopy.Run, a: row, imm: offset, target: (nint)own, slot: d.NewRange());
        return true;
    }

    private static readonly string[] Ranks = ["1d", "2d", "3d", "4d", "5d"];

    private static void Shared(KernelDecoder d, Operand address, Span<int> to)
    {
        var (row, offset, isWide) = MemoryDecoder.Address(d, address, StateSpace.Shared);
        (to[0], to[1], to[2]) = (row, (int)offset, isWide ? 1 : 0);
    }

    private static TensorCopyKind? Reduction(PtxInstruction i) =>
        i.Has("add") ? TensorCopyKind.Add : i.Has("min") ? TensorCopyKind.Min : i.Has("max") ? TensorCopyKind.Max
        : i.Has("and") ? TensorCopyKind.And : i.Has("or") ? TensorCopyKind.Or : i.Has("xor") ? TensorCopyKind.Xor : null;
}
