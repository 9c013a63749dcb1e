using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Sampling;

/// <summary>How a block goes over a row of logits. Ids from <paramref name="valid"/> on count as minus infinity.</summary>
internal sealed class VocabularyWalk(KernelBuilder k, int vocabulary, GlobalPtr<F32> row, S32 valid)
{
    /// <summary>Vectors that a thread has on their way at once.</summary>
    private const int Unroll = 4;

    private readonly int _vector = VectorWidth.Of(DType.F32, vocabulary);

    /// <summary>Ids that a warp takes at once.</summary>
    public int WarpStep => 32 * _vector;

    public int Vocabulary => vocabulary;

    public S32 Valid => valid;

    /// <summary>Enough threads that each sees at least sixteen logits, at most 1024.</summary>
    public static int Threads(int vocabulary) => Math.Min(1024, (vocabulary + 511) / 512 * 32);

    /// <summary>Each thread sees its logits by ascending id; together they see all.</summary>
    public void ForEach(Action<F32, S32> visit)
    {
        var step = Threads(vocabulary) * _vector;
        k.For(k.ThreadIdX * _vector, valid, step * Unroll, first =>
        {
            var vectors = Enumerable.Range(0, Unroll).Select(u => first + u * step).Select(id => (Id: id, Logits: LoadRaw(id, id < valid))).ToArray();
            foreach (var (id, logits) in vectors)
                for (var i = 0; i < _vector; i++)
                    visit(Masked(logits[i], id + i), id + i);
        });
    }

    /// <summary>The neighbouring logits of this lane, <paramref name="first"/> being the id of its first one.</summary>
    public F32[] Load(S32 first, Pred inside) => [.. LoadRaw(first, inside & (first < valid)).Select((logit, i) => Masked(logit, first + i))];

    private F32[] LoadRaw(S32 first, Pred inside) => row.LoadVectorOr(inside, float.NegativeInfinity, _vector, first);

    private F32 Masked(F32 logit, S32 id) => _vector == 1 ? logit : k.Select(id < valid, logit, (F32)float.NegativeInfinity);
}
