using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Serving;

/// <summary>
/// The published floor of the time per output token (ISCA 2025, section 2.3.2): two micro-batches take turns, computation hides altogether
/// behind dispatch and combine, one expert lies on a device, every layer is an MoE layer, links have no latency.
/// <c>(dispatch + combine bytes) x tokens x (active + shared experts) x width / rate</c>, twice, in every layer.
/// </summary>
/// <param name="ExchangeSeconds">Both exchanges of a micro-batch in one layer.</param>
public sealed record TokenBound(string Link, double BytesPerSecond, double ExchangeSeconds, int Layers)
{
    /// <summary>Of a GB200 NVL72, one way: the published alternative.</summary>
    public const double NvlinkDomain = 900e9;

    public double LayerSeconds => 2 * ExchangeSeconds;

    public double TokenSeconds => Layers * LayerSeconds;

    public double TokensPerSecond => 1 / TokenSeconds;

    /// <returns>Null: the model has no experts, and nothing travels; or the link carries nothing.</returns>
    /// <param name="rounded">The width in whole thousands, as the published figure counts it: 7K for 7168.</param>
    public static TokenBound? Of(ServeSpec serve, string link, double bytesPerSecond, int tokens, bool rounded)
    {
        var model = serve.Model;
        double width = rounded && model.Hidden >= 1000 ? model.Hidden / 1000 * 1000 : model.Hidden;
        var experts = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().Select(moe => moe.Active + moe.Shared).DefaultIfEmpty(0).Max();
        return experts == 0 || bytesPerSecond <= 0
            ? null
            : new TokenBound(link, bytesPerSecond, WireBytes(serve) * tokens * experts * width / bytesPerSecond, model.Layers.Count);
    }

    /// <summary>Of a value, there and back, without scales.</summary>
    public static double WireBytes(ServeSpec serve) =>
        ServeMemory.Bytes(serve.Precision.Wire?.Dispatch.Format ?? NumberFormat.Bf16) + ServeMemory.Bytes(serve.Precision.Wire?.Combine.Format ?? NumberFormat.Bf16);
}
