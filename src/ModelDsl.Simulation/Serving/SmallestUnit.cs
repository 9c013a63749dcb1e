using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Serving;

/// <summary>The fewest nodes on which a model fits at all: experts over all their GPUs, no copies, the cache of one longest sequence.</summary>
public sealed record SmallestUnit(int Nodes, int Gpus, long KvTokensPerGpu)
{
    /// <returns>Null: the whole cluster is too small.</returns>
    public static SmallestUnit? Of(ServeSpec serve, ServePhase phase)
    {
        var routed = serve.Model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().Select(moe => moe.Routed).DefaultIfEmpty(1).Max();
        for (var nodes = 1; nodes <= serve.Cluster.Nodes; nodes++)
        {
            var gpus = nodes * serve.Cluster.Node.Gpus;
            var tensor = Math.Min(phase.Attention.Tensor, gpus);
            var unit = phase with
            {
                UnitNodes = nodes,
                Attention = phase.Attention with { Tensor = tensor, Data = gpus / tensor },
                Experts = phase.Experts with { Expert = Math.Min(gpus, routed), Redundant = 0 },
            };
            var memory = UnitMemory.Of(serve, unit);
            if (memory.KvTokensPerGpu >= serve.Model.Context) return new SmallestUnit(nodes, gpus, memory.KvTokensPerGpu);
            // More ranks than experts take nothing off a GPU any more.
            if (gpus >= routed && nodes > 1) return null;
        }
        return null;
    }
}
