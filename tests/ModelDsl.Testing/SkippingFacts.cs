using Xunit;

namespace ModelDsl.Testing;

/// <summary>A test that needs the data folder beside the repository; skipped, and counted so, without it.</summary>
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute() => Skip = Missing.Shared;
}

/// <inheritdoc cref="SharedFactAttribute"/>
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute() => Skip = Missing.Shared;
}

/// <summary>A test that assembles PTX; skipped, and counted so, where there is no <c>ptxas</c>.</summary>
public sealed class PtxasFactAttribute : FactAttribute
{
    public PtxasFactAttribute() => Skip = Missing.Ptxas;
}

/// <inheritdoc cref="PtxasFactAttribute"/>
public sealed class PtxasTheoryAttribute : TheoryAttribute
{
    public PtxasTheoryAttribute() => Skip = Missing.Ptxas;
}

/// <summary>A test that compiles CUDA C++; skipped, and counted so, where there is no <c>nvcc</c>.</summary>
public sealed class NvccTheoryAttribute : TheoryAttribute
{
    public NvccTheoryAttribute() => Skip = Missing.Nvcc;
}

/// <summary>A test that needs an NVIDIA GPU and its driver; skipped, and counted so, without them.</summary>
public sealed class GpuFactAttribute : FactAttribute
{
    public GpuFactAttribute() => Skip = Missing.Gpu;
}

/// <inheritdoc cref="GpuFactAttribute"/>
public sealed class GpuTheoryAttribute : TheoryAttribute
{
    public GpuTheoryAttribute() => Skip = Missing.Gpu;
}

/// <summary>A test that opens a page in a browser; skipped, and counted so, where there is none.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Missing.Browser;
}

/// <inheritdoc cref="BrowserFactAttribute"/>
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Missing.Browser;
}

/// <summary>Why a test is skipped; null where what it needs is here.</summary>
internal static class Missing
{
    public static string? Shared { get; } = Repository.Shared is null ? "no shared data beside the repository" : null;

    public static string? Ptxas { get; } = Testing.Ptxas.Program is null ? "no ptxas (tests/get-ptxas fetches it)" : null;

    public static string? Nvcc { get; } = Testing.Nvcc.Program is null ? "no nvcc (DSM_NVCC may name one)" : null;

    public static string? Gpu { get; } = Testing.Gpu.IsPresent ? null : "no NVIDIA GPU";

    public static string? Browser { get; } = Testing.Browser.Program is null ? "no Chromium (DSM_BROWSER may name one)" : null;
}
