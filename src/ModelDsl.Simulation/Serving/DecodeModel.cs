using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Serving;

/// <summary>
/// Time of a decode step by what each GPU must read, compute and send. Weights are read once a step, the cache of every request by every rank
/// of its tensor-parallel group, a token goes to each of its experts by itself (no node forwards for another), and where micro-batches take turns
/// the longer of computation and communication counts.
/// </summary>
public sealed class DecodeModel(ServeSpec serve, ServePhase phase, UnitMemory memory, ModelCosts costs, double imbalance, ServingOptions options)
{
    private const int MostRequests = 1 << 14;

    public DecodePoint At(int requests)
    {
        var (model, gpu, node) = (serve.Model, serve.Cluster.Gpu, serve.Cluster.Node);
        var group = (double)requests * phase.Attention.Tensor;
        var tokens = requests * (1.0 + phase.Draft);
        var fp8 = serve.Precision.Gemm.IsFp8 && gpu.Fp8FlopsPerSecond > 0;
        var arithmetic = tokens * costs.LinearFlops * imbalance / ((fp8 ? gpu.Fp8FlopsPerSecond : gpu.Bf16FlopsPerSecond) * ServingAssumptions.GemmEfficiency);
        var bandwidth = gpu.MemoryBytesPerSecond * ServingAssumptions.MemoryEfficiency;
        var weights = memory.WeightBytes / bandwidth;
        var cache = group * options.Context * ServeMemory.CacheBytesPerToken(serve) / bandwidth;
        var mla = model.Attention;
        var core = tokens * model.Layers.Count * 2.0 * mla.Heads * (mla.CacheWidth + mla.KvRank) * options.Context
            / (gpu.Bf16FlopsPerSecond * ServingAssumptions.AttentionEfficiency);
        var compute = Math.Max(arithmetic, weights) + Math.Max(core, cache);
        var network = tokens * NetworkSecondsPerToken(node) * imbalance;
        var overlapped = phase.OverlapMicroBatches > 1;
        var bound = new[] { ("weights", weights), ("cache", cache), ("arithmetic", Math.Max(arithmetic, core)), ("network", network) }.MaxBy(part => part.Item2).Item1;
        return new DecodePoint(
            requests, overlapped ? Math.Max(compute, network) : compute + network, compute, network, bound,
            Enumerable.Range(0, phase.Draft + 1).Sum(i => Math.Pow(options.Acceptance, i)), group * options.Context,
            group * options.Context <= memory.KvTokensPerGpu, node.Gpus);
    }

    /// <summary>The most requests that fit and keep to the time per token; one, where not even that does.</summary>
    public DecodePoint Operating()
    {
        var (low, high) = (1, MostRequests);
        bool Good(DecodePoint point) => point.Fits && point.TokenSeconds <= options.TokenSeconds;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (Good(At(middle))) low = middle;
            else high = middle - 1;
        }
        return At(low);
    }

    /// <summary>Throughput against latency, doubling the requests up to what the cache holds.</summary>
    public IEnumerable<DecodePoint> Curve()
    {
        for (var requests = 1; requests <= MostRequests; requests *= 2)
        {
            var point = At(requests);
            if (!point.Fits) yield break;
            yield return point;
        }
    }

    /// <summary>Of the exchanges of all MoE layers.</summary>
    private double NetworkSecondsPerToken(NodeSpec node)
    {
        var nic = node.NicBytesPerSecond * node.Nics / node.Gpus * ServingAssumptions.NicEfficiency;
        var ranks = phase.Experts.Expert;
        if (ranks <= 1) return 0;
        var link = nic > 0 && ranks > node.Gpus ? nic : node.NvlinkBytesPerSecond;
        var copies = serve.Model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().Sum(moe => moe.Active + moe.Shared);
        return copies * TokenBound.WireBytes(serve) * serve.Model.Hidden * (ranks - 1) / ranks / link;
    }
}
