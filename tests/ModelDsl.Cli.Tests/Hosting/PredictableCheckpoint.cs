using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Testing;
using StoredTensor = ModelDsl.Testing.StoredTensor;

namespace ModelDsl.Cli.Tests.Hosting;

/// <summary>
/// The golden micro model with blocks that add little to the stream, so that the next token follows from the last one, and with an MTP
/// module that mostly knows it: its projection passes the embedding on, and some of the hidden state to be wrong at times.
/// </summary>
internal sealed class PredictableCheckpoint : IDisposable
{
    private const float Damping = 0.05f;
    private const float Disturbance = 0.35f;

    public PredictableCheckpoint()
    {
        var source = GoldenModel.Micro.Checkpoint;
        var stored = Directory.GetFiles(source, "*.safetensors").SelectMany(Testing.Safetensors.Load).ToDictionary();
        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in stored)
            writer.Add(name, Change(name, tensor, stored), [.. tensor.Shape.Select(size => (long)size)]);
        writer.Write(Path.Combine(Folder, "model.safetensors"));
        File.Copy(Path.Combine(source, "config.json"), Path.Combine(Folder, "config.json"));
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("dsm").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static float[] Change(string name, StoredTensor tensor, Dictionary<string, StoredTensor> stored)
    {
        var values = tensor.Floats();
        if (name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal))
            return [.. values.Select(value => value * Damping)];
        if (name.EndsWith(".enorm.weight", StringComparison.Ordinal)) return [.. values.Select(_ => 1f)];
        if (name.EndsWith(".shared_head.norm.weight", StringComparison.Ordinal)) return stored["model.norm.weight"].Floats();
        if (!name.EndsWith(".eh_proj.weight", StringComparison.Ordinal)) return values;
        var width = tensor.Shape[0];
        return [.. values.Select((value, i) => i % (2 * width) is var column && column >= width ? value * Disturbance : column == i / (2 * width) ? 1f : 0f)];
    }
}
