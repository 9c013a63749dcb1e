using System.Reflection;

namespace ModelDsl.Packaging.Tests;

/// <summary>What the build of these tests knew.</summary>
internal static class BuildFacts
{
    /// <summary><c>Release</c> or <c>Debug</c>: what the packages are made of.</summary>
    public static string Configuration { get; } = Of("Configuration");

    /// <summary>The one version of all packages.</summary>
    public static string Version { get; } = Of("Version");

    /// <summary>The machine's package folder, where the restore of this project left what it needs.</summary>
    public static string Packages { get; } = Of("Packages");

    /// <summary>The runtime identifier of this machine, such as <c>linux-x64</c>.</summary>
    public static string Runtime { get; } = Of("Runtime");

    private static string Of(string key) => typeof(BuildFacts).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
