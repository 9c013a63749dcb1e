using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding;

/// <summary>Bound block to <see cref="ClusterSpec"/>.</summary>
internal static class ClusterBuilder
{
    private const double SecondsPerHour = 3600;

    public static ClusterSpec Build(string name, BoundBlock block)
    {
        var node = block.Block("node")!;
        return new ClusterSpec(
            name,
            GpuProfiles.ByName(block.Word("gpu"))!,
            block.Int("nodes"),
            new NodeSpec(node.Int("gpus"), node.Number("nvlink"), node.Int("nics"), node.TryNumber("nic") ?? 0,
                new Origin(node.SpanOf("nics")), node.Origin),
            block.TryCall("network") is { } network
                ? new NetworkSpec(network.Name, network.Word("fabric"), Figures(network), new Origin(network.Span))
                : null,
            block.TryNumber("price") * SecondsPerHour,
            new Origin(block.SpanOf("nodes")),
            block.Origin);
    }

    private static EquatableArray<NamedNumber> Figures(BoundCall network) => network.Arguments
        .Where(argument => argument.Value is BoundNumber).OrderBy(argument => argument.Key, StringComparer.Ordinal)
        .Select(argument => new NamedNumber(argument.Key, network.Number(argument.Key))).ToEquatable();
}
