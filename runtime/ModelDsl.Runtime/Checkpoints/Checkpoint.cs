using System.Diagnostics.CodeAnalysis;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>
/// A Hugging Face checkpoint folder, mapped into memory: one <c>model.safetensors</c>, or shards with
/// <c>model.safetensors.index.json</c>. Tensors are read where they lie.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    private Checkpoint(string folder, CheckpointConfig config) => (Folder, Config) = (folder, config);

    public string Folder { get; }

    public CheckpointConfig Config { get; }

    /// <summary>All tensors of all files, by name.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <param name="path">A checkpoint folder, or a single safetensors file.</param>
    /// <exception cref="CheckpointException">There is no checkpoint, or a file of it is damaged.</exception>
    public static Checkpoint Open(string path)
    {
        if (File.Exists(path))
        {
            var single = new Checkpoint(Path.GetDirectoryName(Path.GetFullPath(path))!, CheckpointConfig.Default);
            return single.Guarded(() => single.Add(path));
        }
        if (!Directory.Exists(path)) throw new CheckpointException(path, null, "there is no such folder");

        var checkpoint = new Checkpoint(path, CheckpointConfig.Read(path));
        return checkpoint.Guarded(checkpoint.AddFolder);
    }

    /// <summary>Looks a tensor up by its name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out StoredTensor? tensor) => _tensors.TryGetValue(name, out tensor);

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
        _tensors.Clear();
    }

    private Checkpoint Guarded(Action add)
    {
        try
        {
            add();
            return this;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private void AddFolder()
    {
        var index = Path.Combine(Folder, IndexFile);
        var single = Path.Combine(Folder, SingleFile);
        if (File.Exists(index)) AddShards(index);
        else if (File.Exists(single)) Add(single);
        else throw new CheckpointException(Folder, null, $"holds neither {SingleFile} nor {IndexFile}");
    }

    private void AddShards(string path)
    {
        var index = ShardIndex.Read(path);
        foreach (var shard in index.ShardOf.Values.Distinct().Order(StringComparer.Ordinal))
        {
            var file = Path.Combine(Folder, shard);
            if (!File.Exists(file))
                throw new CheckpointException(
                    path, null, $"{index.ShardOf.Values.Count(other => other == shard)} tensors should be in {shard}, which is not there");
            Add(file);
        }
        foreach (var (name, shard) in index.ShardOf)
            if (!_tensors.TryGetValue(name, out var tensor) || Path.GetFileName(tensor.File) != shard)
                throw new CheckpointException(path, name, $"should be in {shard}, but is not");
    }

    private void Add(string path)
    {
        var file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (var tensor in file.Tensors)
            if (!_tensors.TryAdd(tensor.Name, tensor))
                throw new CheckpointException(path, tensor.Name, $"is also in {_tensors[tensor.Name].File}");
    }
}
