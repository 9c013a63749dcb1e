using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>
/// The weights of a model: what they are called on the device, and in a Hugging Face checkpoint. All in F32 and without padding;
/// <c>place-precision</c> gives them their formats.
/// </summary>
internal sealed class WeightNames(ModelSpec model)
{
    private readonly MlaSpec _mla = model.Attention;

    public WeightTensor Embedding => Matrix("embed", "model.embed_tokens.weight", model.Vocabulary, model.Hidden);

    public WeightTensor FinalNorm => Vector("norm", "model.norm.weight", model.Hidden);

    public WeightTensor Head => Matrix("head", "lm_head.weight", model.Vocabulary, model.Hidden);

    public WeightTensor InputNorm(int layer) =>
        Vector($"layers.{layer}.input_norm", $"model.layers.{layer}.input_layernorm.weight", model.Hidden);

    public WeightTensor PostAttentionNorm(int layer) =>
        Vector($"layers.{layer}.post_attention_norm", $"model.layers.{layer}.post_attention_layernorm.weight", model.Hidden);

    /// <summary>Of the embedding that enters an MTP module.</summary>
    public WeightTensor MtpEmbeddingNorm(int layer) => Vector($"layers.{layer}.enorm", $"model.layers.{layer}.enorm.weight", model.Hidden);

    /// <summary>Of the hidden state that enters an MTP module.</summary>
    public WeightTensor MtpHiddenNorm(int layer) => Vector($"layers.{layer}.hnorm", $"model.layers.{layer}.hnorm.weight", model.Hidden);

    /// <summary>From both, the embedding first, to the stream: <c>[hidden, 2 * hidden]</c>.</summary>
    public WeightTensor MtpProjection(int layer) =>
        Matrix($"layers.{layer}.eh_proj", $"model.layers.{layer}.eh_proj.weight", model.Hidden, 2 * model.Hidden);

    /// <summary>The norm before the head of an MTP module.</summary>
    public WeightTensor MtpNorm(int layer) =>
        Vector($"layers.{layer}.shared_head_norm", $"model.layers.{layer}.shared_head.norm.weight", model.Hidden);

    /// <summary>Copies of the model's embedding and head that published checkpoints hold with an MTP module.</summary>
    public static EquatableArray<string> MtpCopies(int layer) =>
        [$"model.layers.{layer}.embed_tokens.weight", $"model.layers.{layer}.shared_head.head.weight"];

    /// <summary>All of the query where it is not compressed.</summary>
    public WeightTensor Query(int layer) => Attention(layer, "q", "q_proj", _mla.Heads * _mla.QkDim, model.Hidden);

    public WeightTensor QueryDown(int layer, int rank) => Attention(layer, "q_a", "q_a_proj", rank, model.Hidden);

    public WeightTensor QueryNorm(int layer, int rank) => Vector($"layers.{layer}.q_a_norm", Attention(layer, "q_a_layernorm"), rank);

    public WeightTensor QueryUp(int layer, int rank) => Attention(layer, "q_b", "q_b_proj", _mla.Heads * _mla.QkDim, rank);

    public WeightTensor KvDown(int layer) => Attention(layer, "kv_a", "kv_a_proj_with_mqa", _mla.CacheWidth, model.Hidden);

    public WeightTensor KvNorm(int layer) => Vector($"layers.{layer}.kv_a_norm", Attention(layer, "kv_a_layernorm"), _mla.KvRank);

    public WeightTensor KvUp(int layer) => Attention(layer, "kv_b", "kv_b_proj", _mla.Heads * (_mla.NopeDim + _mla.VDim), _mla.KvRank);

    public WeightTensor Output(int layer) => Attention(layer, "o", "o_proj", model.Hidden, _mla.Heads * _mla.VDim);

    public WeightTensor Router(int layer, MoeSpec moe) =>
        Matrix($"layers.{layer}.router", $"model.layers.{layer}.mlp.gate.weight", moe.Routed, model.Hidden);

    public WeightTensor RouterBias(int layer, MoeSpec moe) =>
        Vector($"layers.{layer}.router_bias", $"model.layers.{layer}.mlp.gate.e_score_correction_bias", moe.Routed);

    /// <summary>Gate and up projection of a SwiGLU, one above the other: <c>[2 * width, hidden]</c>.</summary>
    /// <param name="name">Last part of the key: <c>mlp</c>, <c>shared</c>.</param>
    /// <param name="path">Where the checkpoint holds it, below the layer: <c>mlp</c>, <c>mlp.shared_experts</c>.</param>
    public WeightTensor GateUp(int layer, string name, string path, int width) =>
        new($"layers.{layer}.{name}.gate_up", DType.F32, 1, 2 * width, model.Hidden, null, [.. GateUpParts(layer, path, width, 0)]);

    public WeightTensor Down(int layer, string name, string path, int width) =>
        Matrix($"layers.{layer}.{name}.down", $"model.layers.{layer}.{path}.down_proj.weight", model.Hidden, width);

    /// <summary><c>[experts, 2 * width, hidden]</c>.</summary>
    public WeightTensor ExpertsGateUp(int layer, MoeSpec moe) => new(
        $"layers.{layer}.experts.gate_up", DType.F32, moe.Routed, 2 * moe.Width, model.Hidden, null,
        [.. Enumerable.Range(0, moe.Routed).SelectMany(e => GateUpParts(layer, $"mlp.experts.{e}", moe.Width, 2 * moe.Width * e))],
        IsStacked: true);

    /// <summary><c>[experts, hidden, width]</c>.</summary>
    public WeightTensor ExpertsDown(int layer, MoeSpec moe)
    {
        EquatableArray<int> shape = [model.Hidden, moe.Width];
        return new WeightTensor(
            $"layers.{layer}.experts.down", DType.F32, moe.Routed, model.Hidden, moe.Width, null,
            [.. Enumerable.Range(0, moe.Routed).Select(e =>
                new WeightSource($"model.layers.{layer}.mlp.experts.{e}.down_proj.weight", shape, model.Hidden * e, 0))],
            IsStacked: true);
    }

    private IEnumerable<WeightSource> GateUpParts(int layer, string path, int width, int row)
    {
        EquatableArray<int> shape = [width, model.Hidden];
        yield return new WeightSource($"model.layers.{layer}.{path}.gate_proj.weight", shape, row, 0);
        yield return new WeightSource($"model.layers.{layer}.{path}.up_proj.weight", shape, row + width, 0);
    }

    private static WeightTensor Attention(int layer, string key, string name, int rows, int columns) =>
        Matrix($"layers.{layer}.{key}", Attention(layer, name), rows, columns);

    private static string Attention(int layer, string name) => $"model.layers.{layer}.self_attn.{name}.weight";

    private static WeightTensor Matrix(string key, string name, int rows, int columns) =>
        new(key, DType.F32, 1, rows, columns, null, [new WeightSource(name, [rows, columns], 0, 0)]);

    private static WeightTensor Vector(string key, string name, int length) =>
        new(key, DType.F32, 1, 1, length, null, [new WeightSource(name, [length], 0, 0)]);
}
