using ModelDsl.Simulation.Network;

namespace ModelDsl.Simulation.Serving;

/// <summary>What is asked of a deployment besides its file.</summary>
/// <param name="Context">Tokens in the cache of a request while it is answered, on average.</param>
/// <param name="Prompt">Tokens of a prompt.</param>
/// <param name="Acceptance">Share of drafted tokens that are kept.</param>
/// <param name="TokenSeconds">Longest time per token that a user is to wait.</param>
/// <param name="BoundTokens">Tokens of a micro-batch on a GPU in the published bound.</param>
/// <param name="Loads">Of experts; null: a power law as fitted to DeepSeek-R1.</param>
public sealed record ServingOptions(
    double Context = 4989, int Prompt = 4096, double Acceptance = 0.875, double TokenSeconds = 0.05, int BoundTokens = 32, RoutingLoad? Loads = null)
{
    public static ServingOptions Default { get; } = new();
}
