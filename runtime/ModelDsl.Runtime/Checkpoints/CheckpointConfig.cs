using System.Text.Json;
using ModelDsl.Runtime.Files;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>What the runtime takes from <c>config.json</c>: nothing that the compiler has decided already.</summary>
/// <param name="EosTokenIds">Tokens that end a text (<c>eos_token_id</c>: a number or a list), from <c>generation_config.json</c>
/// too.</param>
/// <param name="BlockRows">Rows of a block of FP8 weights (<c>quantization_config.weight_block_size</c>).</param>
/// <param name="TiedEmbeddings">The output head is the embedding (<c>tie_word_embeddings</c>).</param>
public sealed record CheckpointConfig(
    int? BosTokenId, IReadOnlyList<int> EosTokenIds, int BlockRows, int BlockColumns, bool TiedEmbeddings)
{
    private const long LargestFile = 64 << 20;

    public static CheckpointConfig Default { get; } = new(null, [], 128, 128, false);

    /// <summary>Reads a folder's <c>config.json</c>; what is not there has its default.</summary>
    /// <exception cref="CheckpointException">A file is there but is not JSON, or a value makes no sense.</exception>
    internal static CheckpointConfig Read(string folder)
    {
        var config = Default;
        foreach (var name in (string[])["config.json", "generation_config.json"])
        {
            var path = Path.Combine(folder, name);
            if (!File.Exists(path)) continue;
            try
            {
                using var json = JsonDocument.Parse(WholeFile.Read(path, LargestFile));
                config = config.With(json.RootElement, path);
            }
            catch (Exception e) when (
                e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException or FormatException)
            {
                throw new CheckpointException(path, null, "cannot be read: " + e.Message, e);
            }
        }
        return config;
    }

    private CheckpointConfig With(JsonElement json, string path)
    {
        var config = this;
        if (json.TryGetProperty("bos_token_id", out var bos) && bos.ValueKind == JsonValueKind.Number)
            config = config with { BosTokenId = bos.GetInt32() };
        if (json.TryGetProperty("eos_token_id", out var eos) && eos.ValueKind is JsonValueKind.Number or JsonValueKind.Array)
            config = config with
            {
                EosTokenIds = eos.ValueKind == JsonValueKind.Number
                    ? [eos.GetInt32()]
                    : [.. eos.EnumerateArray().Select(id => id.GetInt32())],
            };
        if (json.TryGetProperty("tie_word_embeddings", out var tie) && tie.ValueKind == JsonValueKind.True)
            config = config with { TiedEmbeddings = true };
        if (json.TryGetProperty("quantization_config", out var quantization)
            && quantization.ValueKind == JsonValueKind.Object
            && quantization.TryGetProperty("weight_block_size", out var block)
            && block.ValueKind == JsonValueKind.Array)
        {
            if (block.GetArrayLength() != 2 || block[0].GetInt32() <= 0 || block[1].GetInt32() <= 0)
                throw new CheckpointException(path, null, "weight_block_size should be two positive numbers");
            config = config with { BlockRows = block[0].GetInt32(), BlockColumns = block[1].GetInt32() };
        }
        return config;
    }
}
