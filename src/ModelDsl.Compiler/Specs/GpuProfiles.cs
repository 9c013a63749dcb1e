using System.Collections.Immutable;

namespace ModelDsl.Compiler.Specs;

/// <summary>The GPUs a cluster can name; figures from their makers' data sheets, dense arithmetic, decimal bytes.</summary>
public static class GpuProfiles
{
    public static ImmutableArray<GpuProfile> All { get; } =
    [
        new("h800", "sm_90a", 132, 80_000_000_000, 3.35e12, 989e12, 1979e12),
        new("h100", "sm_90a", 132, 80_000_000_000, 3.35e12, 989e12, 1979e12),
        new("h200", "sm_90a", 132, 141_000_000_000, 4.8e12, 989e12, 1979e12),
        new("h20", "sm_90a", 78, 96_000_000_000, 4.0e12, 148e12, 296e12),
        new("l40s", "sm_89", 142, 48_000_000_000, 864e9, 362e12, 733e12),
        new("a100", "sm_80", 108, 80_000_000_000, 2.039e12, 312e12, 0),
    ];

    public static GpuProfile? ByName(string name) => All.FirstOrDefault(g => g.Name == name);
}
