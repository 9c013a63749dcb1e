using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Formatting;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Fuzz.Inputs;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Testing;

namespace ModelDsl.Fuzz.Kinds;

/// <summary>The <c>config.json</c> of a checkpoint: imported into the language, and read by whoever opens the checkpoint.</summary>
internal sealed class ConfigKind : FuzzKind
{
    private static readonly string[] Dictionary =
    [
        "model_type", "deepseek_v3", "deepseek_v2", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "q_lora_rank", "kv_lora_rank",
        "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "intermediate_size", "moe_intermediate_size", "n_routed_experts", "n_shared_experts", "num_experts_per_tok",
        "first_k_dense_replace", "moe_layer_freq", "n_group", "topk_group", "scoring_func", "topk_method", "noaux_tc", "greedy", "sigmoid", "softmax", "norm_topk_prob",
        "routed_scaling_factor", "rope_theta", "rope_scaling", "rope_parameters", "type", "rope_type", "yarn", "default", "factor", "beta_fast", "beta_slow", "mscale",
        "mscale_all_dim", "original_max_position_embeddings", "max_position_embeddings", "quantization_config", "quant_method", "fp8", "fmt", "e4m3", "weight_block_size",
        "activation_scheme", "dynamic", "scale_fmt", "ue8m0", "modules_to_not_convert", "lm_head", "tie_word_embeddings", "hidden_act", "silu", "mlp_layer_types", "sparse",
        "num_nextn_predict_layers", "eos_token_id", "bos_token_id", "attention_bias", "rms_norm_eps", "initializer_range", "truncate", "index_topk", "x",
    ];

    private readonly JsonDamage _damage = new(Dictionary);
    private readonly ScratchFolder _folder = new();

    public ConfigKind() => _folder.Write("model.safetensors", SafetensorsKind.Good(2));

    public override string Name => "config";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. GoldenModel.Variants.Select(name => File.ReadAllBytes(GoldenModel.Variant(name).Config)),
        File.ReadAllBytes(GoldenModel.Micro.Config),
        File.ReadAllBytes(Repository.PathTo("tests", "goldens", "micro", "fp8", "checkpoint", "config.json")),
        File.ReadAllBytes(Repository.PathTo("samples", "tiny-v3", "checkpoint", "config.json")),
    ];

    public override byte[] Make(byte[] known, byte[] other, Random random) => _damage.Spoil(known, other, random);

    public override string Check(byte[] input)
    {
        var source = SourceText.FromBytes("config.json", input);
        var import = ConfigImporter.Import(source, "../../x y");
        DsmKind.Places(import.Diagnostics, path => path == "config.json" ? import.Source : null);
        DiagnosticText.Render(import.Diagnostics, _ => import.Source);
        var way = string.Join(' ', import.Diagnostics.Select(d => d.Id).Distinct().Order(StringComparer.Ordinal));
        if (import.Text is null && !import.Diagnostics.Any(d => d.IsError)) throw new ViolationException("nothing imported, and no reason");
        if (import.Text is { } text) way += Bind(text);
        return way + Open(input);
    }

    public override void Dispose() => _folder.Dispose();

    /// <summary>Imported text may hold numbers that the language refuses, but it is text of the language, in its layout.</summary>
    private static string Bind(string text)
    {
        var source = SourceText.From("imported.dsm", text);
        if (DsmSyntax.Parse(source).Diagnostics is [var broken, ..]) throw new ViolationException($"the imported text does not parse: {broken.Id}");
        if (Formatter.Format(source).Text != text) throw new ViolationException("the imported text is not formatted");
        var program = FrontEnd.Bind(source);
        DsmKind.Places(program.Diagnostics, program.Source);
        return " then " + string.Join(' ', program.Diagnostics.Select(d => d.Id).Distinct().Order(StringComparer.Ordinal));
    }

    private string Open(byte[] input)
    {
        _folder.Write("config.json", input);
        try
        {
            using var checkpoint = Checkpoint.Open(_folder.Path);
            return $" opened {checkpoint.Config.EosTokenIds.Count}";
        }
        catch (CheckpointException refused)
        {
            return " " + Gist(refused.Message[_folder.Path.Length..]);
        }
    }
}
