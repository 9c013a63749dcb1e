using System.Runtime.InteropServices;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Numerics;

namespace ModelDsl.Cli.Hosting;

/// <summary>Collects what steps leave on the device, step after step, into tensors with one row per position.</summary>
internal sealed class StepRecorder(CausalLanguageModel model)
{
    private readonly Dictionary<string, Recorded> _tensors = [];

    /// <summary>Takes the first rows of the last step's logits, under a name.</summary>
    public void TakeLogits(string name, int rows) => TakeLogits(name, rows, destination => model.ReadLogits(destination));

    /// <summary>Takes the logits of the MTP module's last step, under a name.</summary>
    public void TakeDraftLogits(string name) => TakeLogits(name, model.DraftLogitRows, model.ReadDraftLogits);

    /// <summary>Takes the intermediate tensors of the last step; floating-point ones become F32.</summary>
    public void TakeTaps()
    {
        foreach (var tap in model.Taps)
        {
            var bytes = new byte[tap.Bytes];
            model.ReadTap(tap, bytes);
            var type = tap.Type;
            if (type == StorageType.BF16)
            {
                var wide = new byte[bytes.Length * 2];
                BFloat16.Widen(MemoryMarshal.Cast<byte, ushort>(bytes), MemoryMarshal.Cast<byte, float>(wide.AsSpan()));
                (bytes, type) = (wide, StorageType.F32);
            }
            Append(tap.Name, type, tap.Shape[1..], bytes);
        }
    }

    public void Write(string path)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in _tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            var data = Join(tensor.Steps);
            var width = tensor.Width.Aggregate((long)tensor.Type.Bytes(), (bytes, size) => bytes * size);
            writer.Add(name, tensor.Type, data, [data.Length / Math.Max(1, width), .. tensor.Width]);
        }
        writer.Write(path);
    }

    private void TakeLogits(string name, int rows, Read read)
    {
        var vocabulary = model.Layout.Vocabulary;
        var bytes = new byte[(long)rows * vocabulary * sizeof(float)];
        read(MemoryMarshal.Cast<byte, float>(bytes.AsSpan()));
        Append(name, StorageType.F32, [vocabulary], bytes);
    }

    private void Append(string name, StorageType type, long[] width, byte[] rows)
    {
        if (!_tensors.TryGetValue(name, out var tensor)) _tensors.Add(name, tensor = new Recorded(type, width, []));
        tensor.Steps.Add(rows);
    }

    private static byte[] Join(List<byte[]> steps)
    {
        var all = new byte[steps.Sum(step => (long)step.Length)];
        var at = 0;
        foreach (var step in steps)
        {
            step.CopyTo(all, at);
            at += step.Length;
        }
        return all;
    }

    private delegate void Read(Span<float> destination);

    private sealed record Recorded(StorageType Type, long[] Width, List<byte[]> Steps);
}
