using ModelDsl.Compiler.Kernels.Access;
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
    private const int Tokens = TransposedQuantizeKernel.Tokens, Features = TransposedQuantizeKernel.Features, Threads = TransposedQuantizeKernel.Threads;

    private const int WordsOfRow = Tokens / 4, ChunkWords = 4, Chunks = WordsOfRow / ChunkWords, HalfFeatures = Features / 2, HalfChunk = ChunkWords / 2;

    /// <summary>Tokens of a feature that are written at once.</summary>
    public const int ChunkBytes = 4 * ChunkWords;

    private readonly SharedPtr<E4M3x4> _codes = K.Shared<E4M3x4>("codes_tile", Features * WordsOfRow);

    /// <summary>Rounds the thread's values: four tokens of a feature are a word.</summary>
    /// <param name="scalesOf">Of the features of a piece.</param>
    public void Store(F32[][][] values, Func<RowPiece, IReadOnlyList<GroupScale>> scalesOf)
    {
        for (var j = 0; j < Pieces.Count; j++)
        {
            var feature = Column + Pieces[j].Offset;
            var row = _codes.Row(feature, WordsOfRow) + (Quad ^ Twist(feature) ^ feature / HalfFeatures * HalfChunk);
            var scales = scalesOf(Pieces[j]);
            for (var i = 0; i < Vector; i++)
            {
                var codes = Enumerable.Range(0, 4).Select(t => scales[i].Quotient(values[t][j][i])).ToArray();
                row.Store(K.ToE4M3x4(codes[0], codes[1], codes[2], codes[3]), i * WordsOfRow);
            }
        }
        K.SyncThreads();
    }

    /// <summary>Features as far as there are any, all 128 tokens of each, or as many as there are.</summary>
    /// <param name="to">Of features by <paramref name="stride"/> tokens.</param>
    /// <param name="token">First of the tile.</param>
    /// <param name="tokens">How many there are, a multiple of <see cref="ChunkBytes"/>; null where the last tile is filled up.</param>
    public void Write(GlobalPtr<U8> to, S32 firstFeature, int width, S32 token, S32 stride, int? tokens = null)
    {
        var (chunk, start) = (K.ThreadIdX % Chunks, K.ThreadIdX / Chunks);
        Pred isThere = tokens is { } count ? token + chunk * ChunkBytes < count : true;
        for (var first = 0; first < Features; first += Threads / Chunks)
        {
            var feature = start + first;
            var words = (_codes.Row(feature, WordsOfRow) + ((chunk * ChunkWords) ^ Twist(feature))).LoadVector(ChunkWords);
            if (first >= HalfFeatures) words = [.. words.Skip(HalfChunk), .. words.Take(HalfChunk)];
            (to.Row(firstFeature + feature, stride) + token + chunk * ChunkBytes).As<E4M3x4>().StoreVector(words, predicate: isThere & (firstFeature + feature < width));
        }
    }

    /// <summary>
    /// Chunks of 16 bytes change places from eight features to the next, and the halves of each chunk in the second 64 features, so that the 16 lanes that store the same tokens of eight features each,
    /// and the 16 with the next tokens, meet 32 different banks. Which half a thread reads is known here: it takes features of the first 64 in one turn and those 64 further on in the next.
    /// </summary>
    private static S32 Twist(S32 feature) => feature / 8 % Chunks * ChunkWords;
}
