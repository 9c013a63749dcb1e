using System.Text.Json;
using ModelDsl.Runtime.Files;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary><c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal sealed class ShardIndex
{
    private const long LargestFile = 256 << 20;

    private ShardIndex(Dictionary<string, string> shardOf) => ShardOf = shardOf;

    /// <summary>Shard file name by tensor name.</summary>
    public Dictionary<string, string> ShardOf { get; }

    public static ShardIndex Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(WholeFile.Read(path, LargestFile));
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
                throw new CheckpointException(path, null, "has no weight_map");

            var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var entry in map.EnumerateObject())
            {
                var shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
                // A shard lies beside its index; a path that leaves the folder is not followed.
                if (shard.Length == 0 || shard is "." or ".." || shard.IndexOfAny(['/', '\\', '\0']) >= 0)
                    throw new CheckpointException(path, entry.Name, "is not mapped to the name of a file beside the index");
                if (!shardOf.TryAdd(entry.Name, shard)) throw new CheckpointException(path, entry.Name, "appears twice in the index");
            }
            return new ShardIndex(shardOf);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new CheckpointException(path, null, "cannot be read: " + e.Message, e);
        }
    }
}
