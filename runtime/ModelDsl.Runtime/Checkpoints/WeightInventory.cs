using System.Text;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>Accounts for every tensor: what the model needs and does not find, and what it finds and does not need.</summary>
internal sealed class WeightInventory
{
    private const string ScaleSuffix = "_scale_inv";
    private const string Head = "lm_head.weight";
    private const string Embedding = "model.embed_tokens.weight";
    private const int NamesShown = 50;

    private readonly Checkpoint _checkpoint;
    private readonly Dictionary<string, WeightSource> _sources = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<string> _missing = [];
    private readonly List<string> _misshapen = [];

    /// <param name="ignoredPrefixes">Tensors that may be there without being used, such as those of an MTP module.</param>
    /// <exception cref="CheckpointException">Checkpoint and model do not fit; the message names all tensors at fault.</exception>
    public WeightInventory(Checkpoint checkpoint, IEnumerable<WeightBinding> weights, IReadOnlyList<string> ignoredPrefixes)
    {
        _checkpoint = checkpoint;
        foreach (var weight in weights)
            foreach (var part in weight.Parts)
                Find(part, weight.Columns);

        var unexpected = checkpoint.Tensors.Keys
            .Where(name => !_used.Contains(name) && !IsIgnored(name, ignoredPrefixes))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (_missing.Count + _misshapen.Count + unexpected.Count > 0)
            throw new CheckpointException(checkpoint.Folder, null, Report(unexpected));
    }

    public WeightSource this[string tensor] => _sources[tensor];

    private void Find(WeightPart part, int columns)
    {
        var name = part.Tensor;
        if (!_checkpoint.TryGet(name, out var tensor))
        {
            if (name != Head || !_checkpoint.Config.TiedEmbeddings || !_checkpoint.TryGet(Embedding, out tensor))
            {
                _missing.Add(name);
                return;
            }
        }
        _used.Add(tensor.Name);
        var fits = tensor.Shape.Count == 2
            ? tensor.Shape[0] == part.Rows && tensor.Shape[1] == columns
            : tensor.Shape.Count == 1 && tensor.Shape[0] == columns && part.Rows == 1;
        var wanted = part.Rows == 1 ? $"[{columns}]" : $"[{part.Rows}, {columns}]";
        if (!fits) _misshapen.Add($"{name} is {tensor}, should be {wanted}");
        else if (!tensor.Type.IsFloat()) _misshapen.Add($"{name} is {tensor}, should hold floating-point numbers");
        else if (FindScales(tensor, part.Rows, columns, out var scales))
            _sources[name] = new WeightSource(tensor, columns, scales, _checkpoint.Config.BlockRows, _checkpoint.Config.BlockColumns);
    }

    // The scales may lie in another shard than the weight; names are looked up across all files.
    private bool FindScales(StoredTensor tensor, int rows, int columns, out float[]? scales)
    {
        scales = null;
        var name = tensor.Name + ScaleSuffix;
        if (!tensor.Type.IsFp8()) return true;
        if (!_checkpoint.TryGet(name, out var stored))
        {
            _missing.Add(name);
            return false;
        }
        _used.Add(name);
        var (high, wide) = (CeilDiv(rows, _checkpoint.Config.BlockRows), CeilDiv(columns, _checkpoint.Config.BlockColumns));
        if (stored.Shape is not [var storedRows, var storedColumns]
            || storedRows != high || storedColumns != wide || !stored.Type.IsFloat())
        {
            _misshapen.Add($"{name} is {stored}, should be F32 [{high}, {wide}]");
            return false;
        }
        scales = new float[high * wide];
        stored.ReadFloats(0, scales);
        return true;
    }

    // Rotary frequencies are a buffer that old checkpoints carry along; the plan computes its own.
    private static bool IsIgnored(string name, IReadOnlyList<string> prefixes) =>
        prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
        || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    private string Report(List<string> unexpected)
    {
        var text = new StringBuilder("does not fit the model");
        Append(text, "missing", _missing);
        Append(text, "of another shape or type", _misshapen);
        Append(text, "unexpected", unexpected);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string what, List<string> names)
    {
        if (names.Count == 0) return;
        text.Append($"\n  {names.Count} {what}:");
        foreach (var name in names.Take(NamesShown)) text.Append("\n    ").Append(name);
        if (names.Count > NamesShown) text.Append($"\n    … and {names.Count - NamesShown} more");
    }

    private static int CeilDiv(int value, int size) => (value + size - 1) / size;
}
