using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using static ModelDsl.Compiler.Binding.Schema.Rows;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What a <c>cluster</c> holds.</summary>
internal static class ClusterSchema
{
    private static readonly IntegerType Planes = new(1, 1024);

    private static readonly ParameterSchema Radix = Named("radix", Planes, "ports of a switch");

    private static readonly ParameterSchema Fabric = Named("fabric", Words("infiniband", "roce"), "infiniband", "what adapters and switches speak");

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
            Network("multi_plane_fat_tree", "a two-layer fat tree per plane; adapter k of every node sits on plane k",
                Named("planes", Planes, "separate networks"), Radix),
            Network("multi_rail_fat_tree", "one fat tree; adapters k of neighbouring nodes share a leaf",
                Named("rails", Planes, "adapters of a node, each on a leaf of its own"), Layers("3"), Radix),
            Network("fat_tree", "a fat tree", Layers(null), Radix),
            Network("dragonfly", "groups of switches that all know one another, and a link between any two groups",
                Radix, Named("groups", new IntegerType(1, LargestCount), "none", "groups; absent: as many as the published comparison counts, 511 for 64 ports")),
            Network("slim_fly", "any two switches at most two links apart", Radix)),
            "how nodes are connected"),
    ], [new ChildSchema(Node, Required: true)]);

    private static Signature Network(string name, string doc, params ParameterSchema[] figures) => Call(name, doc, [.. figures, Fabric]);

    private static ParameterSchema Layers(string? @default) =>
        new("layers", new IntegerType(1, 4), @default, Positional: false, "layers of switches");
}
