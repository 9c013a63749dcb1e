using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

// Products that the four warps of a warpgroup make together, in the background.
public sealed partial class KernelBuilder
{
    /// <summary>Orders accesses to registers before the products that use them; needed before the first and when others have written accumulators.</summary>
    public void WgmmaFence() => EmitVoid("wgmma.fence.sync.aligned", [], []);

    /// <summary>Ends a group of products.</summary>
    public void WgmmaCommit() => EmitVoid("wgmma.commit_group.sync.aligned", [], []);

    /// <summary>Waits until at most so many groups are under way; the accumulators of the others may be read then.</summary>
    public void WgmmaWait(int pendingGroups) => EmitVoid("wgmma.wait_group.sync.aligned", [], [((S32)pendingGroups).Operand]);

    /// <summary>Starts a product of two tiles in shared memory.</summary>
    /// <param name="a">Descriptor of 64 rows; see <see cref="TileDescriptor"/>.</param>
    /// <param name="b">Descriptor of N rows.</param>
    /// <param name="accumulates">Where false the accumulators are overwritten.</param>
    public void Wgmma(WgmmaShape shape, Var<F32>[] accumulators, TileDescriptor a, TileDescriptor b, Pred accumulates)
    {
        var transposes = shape.IsTransposable ? new[] { Flag(shape.TransposesA), Flag(shape.TransposesB) } : [];
        EmitWgmma(shape, accumulators, a.Bits, b, accumulates, transposes);
    }

    /// <summary>Starts a product of a tile in registers and one in shared memory. The registers stay untouched until the group has been waited for.</summary>
    /// <param name="a">
    /// Four registers of 32 bits of row-major A, for lane 4g + t of warp w: bytes 4t to 4t + 3 of rows 16w + g and 16w + g + 8, then the same of the second
    /// 16 bytes of the depth.
    /// </param>
    public void Wgmma(WgmmaShape shape, Var<F32>[] accumulators, IReadOnlyList<B32> a, TileDescriptor b, Pred accumulates)
    {
        if (a.Count != 4 || shape.TransposesA) throw new PtxException($"{shape.Name} takes four registers of A, row-major");
        EmitWgmma(shape, accumulators, new VectorOperand([.. a.Select(InRegister)]), b, accumulates, shape.IsTransposable ? [Flag(shape.TransposesB)] : []);
    }

    private static Operand Flag(bool value) => new ImmediateOperand(value ? 1ul : 0, ScalarType.S32);

    private void EmitWgmma(WgmmaShape shape, Var<F32>[] accumulators, Operand a, TileDescriptor b, Pred accumulates, Operand[] transposes)
    {
        Require(Feature.Wgmma, shape.Name);
        if (shape.N is < 8 or > 256 || shape.N % 8 != 0 || accumulators.Length != shape.Registers)
            throw new PtxException($"{shape.Name} has {shape.Registers} accumulators, not {accumulators.Length}; N is 8 to 256, a multiple of 8");
        var scale = accumulates.Constant is { } known ? Known(known) : accumulates.Plain().Operand;
        Operand[] sources = [a, b.Bits, scale, Flag(true), Flag(true), .. transposes];
        EmitVoid(shape.Name, [new VectorOperand([.. accumulators.Select(v => (Operand)v.Register)])], sources);
    }

    /// <summary>The matrix descriptor of a tile that lies in shared memory in rows of a swizzle's width (16 bytes without).</summary>
    /// <param name="strideBytes">From eight rows to the next eight.</param>
    /// <param name="leadingBytes">
    /// Without swizzle: from 16 bytes of a row to the next 16; null: one behind the other. Of a transposed operand: from the elements of M or N that a row holds to those that the
    /// next column of rows does. Otherwise nobody looks at it.
    /// </param>
    public TileDescriptor TileDescriptor<T>(SharedPtr<T> tile, TileSwizzle swizzle, int strideBytes, int? leadingBytes = null) where T : Value
    {
        var kind = swizzle switch { TileSwizzle.Bytes128 => 1u, TileSwizzle.Bytes64 => 2u, TileSwizzle.Bytes32 => 3u, _ => 0u };
        var leading = leadingBytes ?? (swizzle == TileSwizzle.None ? 16 : 0);
        // Shared addresses have 18 bits; the field has those from the fourth on.
        return new TileDescriptor(this, (tile.ToS32() >> 4) + (leading >> 4 << 16), (uint)(strideBytes >> 4) | kind << 30);
    }
}
