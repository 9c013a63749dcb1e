using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Serving;

/// <summary>What was measured of a model in service, to hold a plan against.</summary>
/// <param name="Phase"><c>prefill</c> or <c>decode</c>.</param>
/// <param name="TokensPerSecondPerNode">Of eight H800, read or written.</param>
public sealed record PublishedServing(string Phase, double TokensPerSecondPerNode, string How, string Source)
{
    private const double DeepSeekV3Parameters = 671_026_419_200;

    private static ImmutableArray<PublishedServing> DeepSeekV3 { get; } =
    [
        new("prefill", 73_700, "32 GPUs, prompts found in the cache counted, over a day", "DeepSeek's inference overview, February 2025"),
        new("prefill", 62_713, "32 GPUs, prompts of 4K, none cached", "DeepSeek's inference profile"),
        new("decode", 14_800, "144 GPUs, 4,989 tokens cached on average, over a day", "DeepSeek's inference overview, February 2025"),
        new("decode", 18_598, "128 GPUs, 128 requests on each, prompts of 4K", "DeepSeek's inference profile"),
    ];

    /// <returns>Empty: nothing was published of that model on such GPUs.</returns>
    public static ImmutableArray<PublishedServing> Of(ServeSpec serve) =>
        serve.Cluster.Gpu.Name == "h800" && serve.Cluster.Node.Gpus == 8 && ParameterCounts.Of(serve.Model).Total == DeepSeekV3Parameters ? DeepSeekV3 : [];
}
