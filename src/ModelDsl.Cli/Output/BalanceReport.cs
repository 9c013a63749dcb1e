using System.Globalization;
using System.Text;
using System.Text.Json;
using ModelDsl.Simulation.Experts;

namespace ModelDsl.Cli.Output;

/// <summary>Placements of experts, layer by layer.</summary>
internal static class BalanceReport
{
    /// <summary>Arrays over layers; <c>logical_to_physical</c> is padded with -1 to the most replicas that any expert has.</summary>
    public static string Json(IReadOnlyList<ExpertPlacement> layers)
    {
        var most = layers.Max(layer => layer.ReplicaCounts.Max());
        return JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["physical_to_logical"] = layers.Select(layer => layer.PhysicalToLogical),
            ["logical_to_physical"] = layers.Select(layer => layer.LogicalToPhysical.Select(
                slots => slots.Concat(Enumerable.Repeat(-1, most - slots.Length)))),
            ["replica_counts"] = layers.Select(layer => layer.ReplicaCounts),
            ["gpu_loads"] = layers.Select(layer => layer.GpuLoads),
        });
    }

    public static string Text(IReadOnlyList<ExpertPlacement> layers)
    {
        var text = new StringBuilder();
        for (var i = 0; i < layers.Count; i++)
        {
            var layer = layers[i];
            var (most, mean) = (layer.GpuLoads.Max(), layer.GpuLoads.Average());
            text.Append(CultureInfo.InvariantCulture, $"layer {i}: heaviest GPU {most:0.##}, mean {mean:0.##} ({most / Math.Max(mean, 1e-30):0.000}x)\n");
            var slots = layer.PhysicalToLogical.Length / layer.GpuLoads.Length;
            for (var gpu = 0; gpu < layer.GpuLoads.Length; gpu++)
                text.Append(CultureInfo.InvariantCulture, $"  GPU {gpu}: {layer.GpuLoads[gpu]:0.##}, experts {string.Join(' ', layer.PhysicalToLogical.Skip(gpu * slots).Take(slots))}\n");
        }
        return text.ToString().TrimEnd();
    }
}
