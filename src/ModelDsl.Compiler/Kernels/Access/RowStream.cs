using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// Rows of activations that a block works through one after the other, the next one under way to shared memory while it has the one before: a block that waits for its row, sums, and waits
/// again keeps no memory busy meanwhile. A thread reads what it copied itself, so that nobody waits for others.
/// </summary>
/// <param name="tiling">Of a whole row, in vectors of 16 bytes.</param>
/// <param name="stride">Elements from a row to the next one.</param>
internal sealed class RowStream(KernelBuilder k, RowTiling tiling, RowWalk walk, ActivationPtr rows, int stride)
{
    private const int VectorBytes = 16, Slots = 2;

    private readonly SharedPtr<U8> _slots = k.DynamicShared<U8>(SharedBytes(tiling, rows.Type));

    public static bool Fits(RowTiling tiling, DType io) => tiling.Vector * io.Bytes() == VectorBytes;

    public static int SharedBytes(RowTiling tiling, DType io) => Slots * tiling.Width * io.Bytes();

    /// <param name="count">The parameter that says how many rows there are.</param>
    /// <param name="work">Gets the row and a way to the elements of its pieces.</param>
    public void ForEach(string count, Action<BlockRow, Func<RowPiece, F32[]>> work)
    {
        var all = k.S32Param(count);
        k.ReturnIf(k.BlockIdX >= all);
        var slot = k.Var<S32>(0);
        Fetch(k.BlockIdX, 0);
        k.CopyAsyncCommit();
        k.For(k.BlockIdX, all, k.GridDimX, row =>
        {
            var next = row + k.GridDimX;
            k.If(next < all, () => Fetch(next, slot.Value ^ 1), uniform: true);
            // A group ends here whether or not there is anything in it.
            k.CopyAsyncCommit();
            k.CopyAsyncWait(1);
            work(new BlockRow(row, all), piece => Load(slot.Value, piece));
            slot.Value = slot.Value ^ 1;
        }, nounroll: true);
    }

    private void Fetch(S32 row, S32 slot)
    {
        var from = rows.Row(row, stride).Plus(walk.Start).Bytes;
        foreach (var piece in walk.AllPieces)
            k.CopyAsync(Place(slot, piece), from.AddBytes((long)piece.Offset * rows.Type.Bytes()), VectorBytes, predicate: piece.Inside);
    }

    private SharedPtr<U8> Place(S32 slot, RowPiece piece)
    {
        var size = rows.Type.Bytes();
        return _slots.AddBytes(slot * (tiling.Width * size)).AddBytes(walk.Start * size).AddBytes(piece.Offset * size);
    }

    private F32[] Load(S32 slot, RowPiece piece)
    {
        var at = Place(slot, piece);
        return rows.Type == DType.F32
            ? at.As<F32>().LoadVectorOr(piece.Inside, 0f, tiling.Vector)
            : ActivationPtr.Widen(k, at.As<B32>().LoadVectorOr(piece.Inside, (B32)0u, tiling.Vector / 2));
    }
}
