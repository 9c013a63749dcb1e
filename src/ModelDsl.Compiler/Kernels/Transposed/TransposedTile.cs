using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Transposed;

/// <summary>A tile of 128 features by 128 tokens that a block turns round in shared memory, where a row of 128 bytes is a feature.</summary>
/// <param name="Quad">Which four tokens the thread has, of 32.</param>
/// <param name="Column">First feature of the thread, from the tile's first on.</param>
/// <param name="Vector">Neighbouring features in a piece.</param>
internal sealed record TransposedTile(KernelBuilder K, S32 Quad, S32 Column, int Vector, IReadOnlyList<RowPiece> Pieces)
{
    private const int Tokens = TransposedQuantizeKernel.Tokens, Features = TransposedQuantizeKernel.Features, Threads = TransposedQuantizeKernel.Threads, Warps = Threads / 32;

    private const int WordsOfRow = Tokens / 4, ChunkWords = 4, Chunks = WordsOfRow / ChunkWords;

    private readonly SharedPtr<F32> _amax = K.Shared<F32>("amax", Warps * Features), _scales = K.Shared<F32>("feature_scales", Features);
    private readonly SharedPtr<E4M3x4> _codes = K.Shared<E4M3x4>("codes_tile", Features * WordsOfRow);

    /// <summary>Finds the scales of all features from the values of all threads.</summary>
    /// <param name="values">By token, piece and element.</param>
    /// <param name="store">Told each feature of the tile, counted from its first, and its scale by one thread.</param>
    public void FindScales(F32[][][] values, ScaleRounding rounding, Action<S32, F32> store)
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

    /// <summary>Rounds the thread's values: four tokens of a feature are a word.</summary>
    public void Store(F32[][][] values, ScaleRounding rounding)
    {
        for (var j = 0; j < Pieces.Count; j++)
        {
            var feature = Column + Pieces[j].Offset;
            var row = _codes.Row(feature, WordsOfRow) + (Quad ^ Twist(feature));
            var scales = (_scales + feature).LoadMany(Vector, Vector);
            for (var i = 0; i < Vector; i++)
            {
                var scale = new GroupScale(K, rounding, scales[i]);
                var codes = Enumerable.Range(0, 4).Select(t => scale.Quotient(values[t][j][i])).ToArray();
                row.Store(K.ToE4M3x4(codes[0], codes[1], codes[2], codes[3]), i * WordsOfRow);
            }
        }
        K.SyncThreads();
    }

    /// <summary>Features as far as there are any, all 128 tokens of each.</summary>
    /// <param name="to">Of features by <paramref name="stride"/> tokens.</param>
    /// <param name="token">First of the tile.</param>
    public void Write(GlobalPtr<U8> to, S32 firstFeature, int width, S32 token, S32 stride)
    {
        var (chunk, start) = (K.ThreadIdX % Chunks, K.ThreadIdX / Chunks);
        for (var first = 0; first < Features; first += Threads / Chunks)
        {
            var feature = start + first;
            var words = (_codes.Row(feature, WordsOfRow) + ((chunk * ChunkWords) ^ Twist(feature))).LoadVector(ChunkWords);
            (to.Row(firstFeature + feature, stride) + token + chunk * (ChunkWords * 4)).As<E4M3x4>().StoreVector(words, predicate: firstFeature + feature < width);
        }
    }

    /// <summary>Chunks of 16 bytes change places from eight features to the next, so that lanes that write the same tokens of them meet different banks.</summary>
    private static S32 Twist(S32 feature) => feature / 8 % Chunks * ChunkWords;
}
