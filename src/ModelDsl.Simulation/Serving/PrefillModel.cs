using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Serving;

/// <summary>A prefill unit under full load, per token and GPU.</summary>
/// <param name="NodesPerToken">That a token goes to: each once, over the network, then on within the node.</param>
public sealed record PrefillRate(double ComputeSeconds, double NetworkSeconds, double NodesPerToken, bool Overlapped, int GpusPerNode)
{
    public double TokenSeconds => Overlapped ? Math.Max(ComputeSeconds, NetworkSeconds) : ComputeSeconds + NetworkSeconds;

    public double TokensPerSecondPerNode => GpusPerNode / TokenSeconds;

    public string Bound => NetworkSeconds > ComputeSeconds ? "network" : "arithmetic";

    /// <param name="costs">At the length of a prompt.</param>
    public static PrefillRate Of(ServeSpec serve, ServePhase phase, ModelCosts costs, double imbalance)
    {
        var (model, gpu, node) = (serve.Model, serve.Cluster.Gpu, serve.Cluster.Node);
        var fp8 = serve.Precision.Gemm.IsFp8 && gpu.Fp8FlopsPerSecond > 0;
        var linear = costs.LinearFlops * imbalance / ((fp8 ? gpu.Fp8FlopsPerSecond : gpu.Bf16FlopsPerSecond) * ServingAssumptions.GemmEfficiency);
        var core = costs.AttentionFlops / 2 / (gpu.Bf16FlopsPerSecond * ServingAssumptions.AttentionEfficiency);

        var nodes = Math.Max(1, phase.Experts.Expert / node.Gpus);
        var moes = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().ToArray();
        var reached = moes.Length == 0 ? 0 : moes[0].Groups is { } groups
            ? Math.Min(Math.Min(nodes, moes[0].Active), Math.Ceiling(groups.Kept * Math.Max(1.0, (double)nodes / groups.Count)))
            : nodes * (1 - Math.Pow(1 - 1.0 / nodes, moes[0].Active));
        var nic = node.NicBytesPerSecond * node.Nics / node.Gpus * ServingAssumptions.NicEfficiency;
        var sent = nodes == 1 || nic == 0 ? 0 : moes.Length * reached * (nodes - 1) / nodes * TokenBound.WireBytes(serve) * model.Hidden;
        return new PrefillRate(linear + core, sent == 0 ? 0 : sent / nic, reached, phase.OverlapMicroBatches > 1, node.Gpus);
    }
}
