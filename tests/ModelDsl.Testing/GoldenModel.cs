namespace ModelDsl.Testing;

/// <summary>A small checkpoint and what PyTorch computes from it in float32 (<c>tests/goldens</c> has the tensors' meaning).</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="Folder">Holds <c>checkpoint/</c> and <c>goldens.safetensors</c>.</param>
public sealed record GoldenModel(string Name, string Folder)
{
    private readonly Lazy<Dictionary<string, StoredTensor>> tensors =
        new(() => Safetensors.Load(Path.Combine(Folder, "goldens.safetensors")));

    /// <summary>The folder of the Hugging Face checkpoint.</summary>
    public string Checkpoint => Path.Combine(Folder, "checkpoint");

    /// <summary>The checkpoint's <c>config.json</c>.</summary>
    public string Config => Path.Combine(Checkpoint, "config.json");

    /// <summary>The reference values by name; read once.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors => tensors.Value;

    /// <summary>Hidden 128, 3 layers, YaRN; 2 rows of 48 tokens.</summary>
    public static GoldenModel Micro { get; } = new("micro", Repository.PathTo("tests", "goldens", "micro"));

    /// <summary>One of the unusual models, by its folder's name in <c>tests/goldens/variants</c>.</summary>
    public static GoldenModel Variant(string name) => new(name, Repository.PathTo("tests", "goldens", "variants", name));

    /// <summary>Names of all unusual models, in order.</summary>
    public static IReadOnlyList<string> Variants { get; } =
        [.. Directory.GetDirectories(Repository.PathTo("tests", "goldens", "variants")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>Hidden 256, 4 layers; 2 rows of 128 tokens. Only tests that skip without the shared data may ask.</summary>
    public static GoldenModel TinyAligned => new("tiny-aligned", Repository.SharedPath("goldens", "tiny-aligned"));

    public override string ToString() => Name;
}
