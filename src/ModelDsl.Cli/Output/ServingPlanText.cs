using System.Globalization;
using ModelDsl.Simulation.Serving;
using ModelDsl.Simulation.Topologies;
using static ModelDsl.Cli.Output.PlanLines;

namespace ModelDsl.Cli.Output;

/// <summary>A deployment's plan for people.</summary>
internal static class ServingPlanText
{
    private const int BarWidth = 40;

    public static string Write(ServingPlan plan)
    {
        var (serve, lines) = (plan.Serve, new PlanLines());
        lines.Add($"{serve.Name}: {serve.Model.Name} served on {serve.Cluster.Name}");
        lines.Add("KV cache", $"{plan.KvBytesPerToken:N0} bytes per token{(plan.KvTransferSeconds is { } moved ? string.Create(CultureInfo.InvariantCulture, $"; the cache of a prompt of {plan.Options.Prompt:N0} moves from prefill to decode in {moved * 1e3:0.0} ms") : "")}");
        if (plan.Bound is { } bound && plan.ExactBound is { } exact)
            lines.Add("time per token", $"no less than {bound.TokenSeconds * 1e3:0.00} ms, {Math.Floor(bound.TokensPerSecond)} tokens/s, over {bound.BytesPerSecond / 1e9:0.#} GB/s (width in thousands, as published; {exact.TokenSeconds * 1e3:0.00} ms with {serve.Model.Hidden})");
        if (plan.NvlinkBound is { } nvlink)
            lines.Add("", $"no less than {nvlink.TokenSeconds * 1e3:0.00} ms, {nvlink.TokensPerSecond:0} tokens/s, in an {nvlink.Link} at {nvlink.BytesPerSecond / 1e9:0} GB/s");
        if (plan.Prefill is { } prefill) Prefill(lines, plan, prefill);
        if (plan.Decode is { } decode) Decode(lines, plan, decode);
        foreach (var measured in PublishedServing.Of(serve))
            lines.Add("measured", $"{measured.Phase} {measured.TokensPerSecondPerNode:N0} tokens/s per node: {measured.How} ({measured.Source})");
        lines.Add($"  rests on");
        foreach (var assumption in plan.Assumptions) lines.Add($"    {assumption.Name,-38} {assumption.Value,6:0.###} {assumption.Unit,-14} {assumption.Source}");
        lines.Add($"    {"load of experts",-38} {plan.Loads.Name}");
        if (NetworkTopology.Of(serve.Cluster) is { } topology) lines.Add(text => TopologyText.Write(text, topology));
        return lines.ToString();
    }

    private static void Prefill(PlanLines lines, ServingPlan plan, PrefillPlan prefill)
    {
        lines.Add("prefill", $"{prefill.Phase.UnitNodes} nodes: attention tensor {prefill.Phase.Attention.Tensor} x data {prefill.Phase.Attention.Data}, experts over {prefill.Phase.Experts.Expert} GPUs with {prefill.Phase.Experts.Redundant} copies");
        lines.Add("", $"{prefill.Rate.TokensPerSecondPerNode:N0} tokens/s per node; a token computes for {prefill.Rate.ComputeSeconds * 1e6:0.0} us and travels for {prefill.Rate.NetworkSeconds * 1e6:0.0} us{Overlap(prefill.Rate.Overlapped)}: bound by {prefill.Rate.Bound}");
        Unit(lines, prefill.Memory, prefill.Experts, prefill.Smallest);
    }

    private static void Decode(PlanLines lines, ServingPlan plan, DecodePlan decode)
    {
        lines.Add("decode", $"{decode.Phase.UnitNodes} nodes: attention tensor {decode.Phase.Attention.Tensor} x data {decode.Phase.Attention.Data}, experts over {decode.Phase.Experts.Expert} GPUs with {decode.Phase.Experts.Redundant} copies");
        var point = decode.Operating;
        var late = !point.Fits ? " (the cache of even one does not fit)" : point.TokenSeconds > plan.Options.TokenSeconds ? " (slower than asked for)" : "";
        lines.Add("", $"{point.TokensPerSecondPerNode:N0} tokens/s per node with {point.RequestsPerGpu} requests on a GPU, {point.TokenSeconds * 1e3:0.0} ms per token{late}: bound by {point.Bound}; a step computes for {point.ComputeSeconds * 1e3:0.0} ms and travels for {point.NetworkSeconds * 1e3:0.0} ms{Overlap(decode.Phase.OverlapMicroBatches > 1)}");
        Unit(lines, decode.Memory, decode.Experts, decode.Smallest);
        if (decode.Draft is { } draft)
            lines.Add("drafts", $"{draft.TokensPerStep:0.000} tokens a step at {draft.Acceptance:0.0%} accepted, {draft.Overhead:0.0%} more to compute: {draft.SpeedUp:0.00} times as fast while a step takes no longer for more tokens");
        lines.Add($"  requests on a GPU   ms per token   tokens/s of a user   tokens/s of a node   bound by");
        var most = decode.Curve.Select(at => at.TokensPerSecondPerNode).DefaultIfEmpty(1).Max();
        foreach (var at in decode.Curve)
            lines.Add($"  {at.RequestsPerGpu,17}   {at.TokenSeconds * 1e3,12:0.00}   {at.TokensPerSecondPerUser,18:0.0}   {at.TokensPerSecondPerNode,18:N0}   {at.Bound,-10} {new string('#', (int)Math.Round(BarWidth * at.TokensPerSecondPerNode / most))}");
    }

    private static void Unit(PlanLines lines, UnitMemory memory, ExpertSpread? experts, SmallestUnit? smallest)
    {
        lines.Add("", $"weights {Gigabytes(memory.WeightBytes)} of {Gigabytes(memory.Capacity)} on a GPU ({string.Join(", ", memory.Weights.OrderByDescending(weights => weights.Bytes).Take(3).Select(weights => $"{weights.Name} {Gigabytes(weights.Bytes)}"))}); cache for {memory.KvTokensPerGpu:N0} tokens, {memory.KvTokensPerUnit:N0} in the unit");
        if (experts is not null)
            lines.Add("", $"heaviest GPU beside the mean: {Times(experts.Without)} without copies, {Times(experts.ByNode)} with copies kept within nodes, {Times(experts.Global)} with copies anywhere (at most {experts.MostCopies} of one expert)");
        lines.Add("", smallest is null ? (FormattableString)$"no unit of this cluster holds the model and one longest sequence" : $"the smallest unit that fits: {smallest.Nodes} nodes, {smallest.Gpus} GPUs, cache for {smallest.KvTokensPerGpu:N0} tokens on each");
    }

    private static string Overlap(bool overlapped) => overlapped ? ", one behind the other" : ", one after the other";

    private static string Times(double? factor) => factor is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0.00} x") : "not possible";
}
