using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Transposed;

/// <summary>The scale of each feature of a block's tile over its 128 tokens, in shared memory.</summary>
/// <param name="Column">First feature of the thread, from the tile's first on.</param>
/// <param name="Vector">Neighbouring features in a piece.</param>
internal sealed record FeatureScales(KernelBuilder K, S32 Column, int Vector, IReadOnlyList<RowPiece> Pieces)
{
    private const int Features = TransposedQuantizeKernel.Features, Warps = TransposedQuantizeKernel.Threads / 32;

    private readonly SharedPtr<F32> _amax = K.Shared<F32>("amax", Warps * Features), _scales = K.Shared<F32>("feature_scales", Features);

    /// <summary>Finds the scales of all features from the values of all threads.</summary>
    /// <param name="values">By token, piece and element.</param>
    /// <param name="store">Told each feature of the tile, counted from its first, and its scale by one thread.</param>
    public void Find(F32[][][] values, ScaleRounding rounding, Action<S32, F32> store)
    {
        for (var j = 0; j < Pieces.Count; j++)
        {
            // The two halves of a warp have the same features.
            var amax = Enumerable.Range(0, Vector).Select(i => values.Select(token => K.Abs(token[j][i])).Aggregate(K.Max)).Select(most => K.Max(most, K.ShuffleXor(most, 16)));
            (_amax.Row(K.WarpId, Features) + (Column + Pieces[j].Offset)).StoreMany([.. amax], K.LaneId < 16);
        }
        K.SyncThreads();
        K.If(K.ThreadIdX < Features, () =>
        {
            var most = Enumerable.Range(0, Warps).Select(warp => (_amax + K.ThreadIdX).Load(warp * Features)).Aggregate(K.Max);
            var scale = GroupScale.Of(K, rounding, most).Scale;
            _scales.Store(scale, K.ThreadIdX);
            store(K.ThreadIdX, scale);
        });
        K.SyncThreads();
    }

    /// <summary>What <see cref="Find"/> has found for the features of a piece.</summary>
    public IReadOnlyList<GroupScale> Of(RowPiece piece, ScaleRounding rounding) =>
        [.. (_scales + (Column + piece.Offset)).LoadMany(Vector, Vector).Select(scale => new GroupScale(K, rounding, scale))];
}
