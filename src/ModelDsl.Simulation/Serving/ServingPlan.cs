using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;

namespace ModelDsl.Simulation.Serving;

/// <summary>A unit that reads prompts.</summary>
public sealed record PrefillPlan(ServePhase Phase, UnitMemory Memory, ExpertSpread? Experts, PrefillRate Rate, SmallestUnit? Smallest);

/// <summary>A unit that writes answers.</summary>
/// <param name="Operating">At the most requests that keep to the time per token.</param>
/// <param name="Curve">Throughput against latency.</param>
public sealed record DecodePlan(
    ServePhase Phase, UnitMemory Memory, ExpertSpread? Experts, DecodePoint Operating, ImmutableArray<DecodePoint> Curve, DraftGain? Draft, SmallestUnit? Smallest);

/// <summary>What a deployment serves: cache, time per token, tokens per node, and on what figures that rests.</summary>
/// <param name="Bound">Null without experts or adapters. The published floor on the cluster's own link, its width in whole thousands.</param>
/// <param name="ExactBound">The same with the width as it is.</param>
/// <param name="NvlinkBound">The same on an NVLink domain of 72 GPUs.</param>
public sealed record ServingPlan(
    ServeSpec Serve, ServingOptions Options, double KvBytesPerToken, TokenBound? Bound, TokenBound? ExactBound, TokenBound? NvlinkBound,
    PrefillPlan? Prefill, DecodePlan? Decode, RoutingLoad Loads, ImmutableArray<Assumption> Assumptions)
{
    private const double FittedExponent = 1.01;

    /// <summary>From a prefill unit to a decode unit, for one prompt, seconds; null where nodes have no adapter.</summary>
    public double? KvTransferSeconds => Link(Serve.Cluster) is > 0 and var link ? Options.Prompt * KvBytesPerToken / (link * ServingAssumptions.NicEfficiency) : null;

    public static ServingPlan Of(ServeSpec serve, ServingOptions? options = null)
    {
        options ??= ServingOptions.Default;
        var costs = ModelCosts.Of(serve.Model, Math.Min(options.Prompt, serve.Model.Context));
        var moe = serve.Model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().FirstOrDefault();
        var loads = options.Loads ?? (moe is null ? RoutingLoad.Balanced : RoutingLoad.PowerLaw(FittedExponent, moe.Routed));
        TokenBound? Bound(string link, double rate, bool rounded) => TokenBound.Of(serve, link, rate, options.BoundTokens, rounded);
        var rate = Link(serve.Cluster);
        return new ServingPlan(
            serve, options, ServeMemory.CacheBytesPerToken(serve),
            Bound("network adapter", rate, rounded: true), Bound("network adapter", rate, rounded: false),
            Bound("NVLink domain of 72 GPUs", TokenBound.NvlinkDomain, rounded: true),
            serve.Prefill is { } prefill ? PrefillOf(serve, prefill, costs, loads) : null,
            serve.Decode is { } decode ? DecodeOf(serve, decode, costs, loads, options) : null,
            loads, ServingAssumptions.All(options));
    }

    private static PrefillPlan PrefillOf(ServeSpec serve, ServePhase phase, ModelCosts costs, RoutingLoad loads)
    {
        var spread = ExpertSpread.Of(serve, phase, loads);
        return new PrefillPlan(
            phase, UnitMemory.Of(serve, phase), spread, PrefillRate.Of(serve, phase, costs, spread?.Imbalance ?? 1), SmallestUnit.Of(serve, phase));
    }

    private static DecodePlan DecodeOf(ServeSpec serve, ServePhase phase, ModelCosts costs, RoutingLoad loads, ServingOptions options)
    {
        var (memory, spread) = (UnitMemory.Of(serve, phase), ExpertSpread.Of(serve, phase, loads));
        var model = new DecodeModel(serve, phase, memory, costs, spread?.Imbalance ?? 1, options);
        return new DecodePlan(phase, memory, spread, model.Operating(), [.. model.Curve()], DraftGain.Of(serve, options.Acceptance), SmallestUnit.Of(serve, phase));
    }

    /// <summary>A GPU's share of the node's adapters, bytes per second.</summary>
    private static double Link(ClusterSpec cluster) => cluster.Node.NicBytesPerSecond * cluster.Node.Nics / cluster.Node.Gpus;
}
