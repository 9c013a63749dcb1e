namespace ModelDsl.Simulation.Serving;

/// <summary>A decode unit at some number of requests: how long a user waits for a token, and how many tokens a node writes.</summary>
/// <param name="RequestsPerGpu">At the same time.</param>
/// <param name="StepSeconds">Of one step of all layers.</param>
/// <param name="ComputeSeconds">Of it, kernels; memory or arithmetic, whichever takes longer.</param>
/// <param name="NetworkSeconds">Of it, dispatch and combine.</param>
/// <param name="Bound">What takes longest: <c>weights</c>, <c>cache</c>, <c>arithmetic</c>, <c>network</c>.</param>
/// <param name="CacheTokensPerGpu">In the cache; above what fits, the point cannot be reached.</param>
public sealed record DecodePoint(
    int RequestsPerGpu, double StepSeconds, double ComputeSeconds, double NetworkSeconds, string Bound, double TokensPerStep, double CacheTokensPerGpu,
    bool Fits, int GpusPerNode)
{
    public double TokenSeconds => StepSeconds / TokensPerStep;

    public double TokensPerSecondPerUser => 1 / TokenSeconds;

    public double TokensPerSecondPerNode => RequestsPerGpu * GpusPerNode * TokensPerSecondPerUser;
}
