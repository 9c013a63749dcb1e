using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Serving;

/// <summary>What a GPU of a unit holds, and the tokens whose cache fits beside it.</summary>
/// <param name="Weights">By consumer, bytes.</param>
/// <param name="KvTokensPerGpu">In whole pages.</param>
/// <param name="KvTokensPerUnit">Ranks of a tensor-parallel group hold the same tokens.</param>
public sealed record UnitMemory(ImmutableArray<(string Name, double Bytes)> Weights, double Reserved, double Capacity, long KvTokensPerGpu, long KvTokensPerUnit)
{
    public double WeightBytes => Weights.Sum(weights => weights.Bytes);

    public static UnitMemory Of(ServeSpec serve, ServePhase phase)
    {
        var weights = ServeMemory.Weights(serve, phase);
        double capacity = serve.Cluster.Gpu.MemoryBytes;
        var reserved = ServingAssumptions.Reserve * capacity;
        var free = Math.Max(0, capacity - reserved - weights.Sum(entry => entry.Bytes));
        var page = serve.KvCache.Page;
        var tokens = (long)(free / (ServeMemory.CacheBytesPerToken(serve) * page)) * page;
        return new UnitMemory([.. weights], reserved, capacity, tokens, tokens * phase.Attention.Data);
    }
}
