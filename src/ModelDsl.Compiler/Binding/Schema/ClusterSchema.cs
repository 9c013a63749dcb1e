using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using static ModelDsl.Compiler.Binding.Schema.Rows;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What a <c>cluster</c> holds.</summary>
internal static class ClusterSchema
{
    private static readonly IntegerType Planes = new(1, 1024);

    private static readonly BlockSchema Node = Block("node", "One machine.",
    [
        Attribute("gpus", new IntegerType(1, 1024), "GPUs in the node"),
        Attribute("nvlink", Rate, "bandwidth between two GPUs of the node, one way, as achieved"),
        Attribute("nics", new IntegerType(0, 1024), "0", "network adapters of the node"),
        Optional("nic", Rate, "bandwidth of one adapter"),
    ]);

    public static readonly BlockSchema Cluster = Block("cluster", "The machines a model is trained or served on.",
    [
        Attribute("gpu", Words(GpuProfiles.All.Select(g => g.Name).ToArray()), "built-in profile of the GPU"),
        Attribute("nodes", new IntegerType(1, LargestCount, Dimension.Node), "1", "machines"),
        Optional("price", new NumberType(0, 1, Dimension.DollarPerGpuSecond), "what a GPU costs per hour"),
        Optional("network", Choice(
            Call("multi_plane_fat_tree", "a two-layer fat tree per plane; GPU k of every node sits on plane k",
                Named("planes", Planes, "separate networks"), Named("radix", Planes, "ports of a switch")),
            Call("fat_tree", "a fat tree",
                Named("layers", new IntegerType(1, 4), "layers of switches"), Named("radix", Planes, "ports of a switch"))),
            "how nodes are connected"),
    ], [new ChildSchema(Node, Required: true)]);
}
