using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

// Blocks that run at the same time on neighbouring multiprocessors and reach each other's shared memory.
public sealed partial class KernelBuilder
{
    /// <summary>Blocks of a cluster, along x; the grid must be a multiple. Launches need not say it again.</summary>
    public void RequireCluster(int blocks)
    {
        Require(Feature.Cluster, "a cluster");
        ClusterBlocks = blocks;
    }

    internal int ClusterBlocks { get; private set; } = 1;

    /// <summary>This block's number in its cluster.</summary>
    public S32 ClusterRank => new(this, Prologue("mov.u32", RegisterClass.B32, new SpecialOperand("%cluster_ctarank")));

    /// <summary>Says that this thread is here; what it wrote before is seen by whoever waits.</summary>
    public void ClusterArrive()
    {
        Require(Feature.Cluster, "barrier.cluster");
        EmitVoid("barrier.cluster.arrive.release.aligned", [], []);
    }

    /// <summary>Waits for all threads of the cluster.</summary>
    public void ClusterWait() => EmitVoid("barrier.cluster.wait.acquire.aligned", [], []);

    /// <summary>The same place in the shared memory of a block of the cluster.</summary>
    public ClusterPtr<T> InBlock<T>(SharedPtr<T> place, S32 rank) where T : Value
    {
        Require(Feature.Cluster, "mapa");
        return new ClusterPtr<T>(this, EmitOne("mapa.shared::cluster.u32", Effect.None, RegisterClass.B32, [place.ToS32().Operand, rank.Operand]), 0);
    }
}
