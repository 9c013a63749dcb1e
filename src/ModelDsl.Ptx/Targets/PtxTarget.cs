namespace ModelDsl.Ptx.Targets;

/// <summary>
/// A <c>.target</c>: compute capability and suffix. The suffix is part of the type because <c>sm_90a</c> code has instructions that
/// <c>sm_90</c> lacks, and runs on nothing newer.
/// </summary>
public sealed record PtxTarget
{
    private PtxTarget(int capability, string suffix, string isa) => (Capability, Suffix, IsaVersion) = (capability, suffix, isa);

    public static PtxTarget Sm80 { get; } = new(80, "", "8.4");
    public static PtxTarget Sm86 { get; } = new(86, "", "8.4");
    public static PtxTarget Sm89 { get; } = new(89, "", "8.4");
    public static PtxTarget Sm90 { get; } = new(90, "", "8.4");
    public static PtxTarget Sm90a { get; } = new(90, "a", "8.4");
    public static PtxTarget Sm100 { get; } = new(100, "", "8.6");
    public static PtxTarget Sm100a { get; } = new(100, "a", "8.6");

    /// <summary>Every target known, oldest first.</summary>
    public static IReadOnlyList<PtxTarget> All { get; } = [Sm80, Sm86, Sm89, Sm90, Sm90a, Sm100, Sm100a];

    /// <summary>Ten times major plus minor: 89 for compute capability 8.9.</summary>
    public int Capability { get; }

    /// <summary>Empty, or <c>a</c> where architecture-specific instructions are allowed.</summary>
    public string Suffix { get; }

    /// <summary>
    /// The <c>.version</c> to print: the oldest that knows the target and what we emit, so that old assemblers accept it.
    /// </summary>
    public string IsaVersion { get; }

    /// <summary>As in <c>.target</c>: <c>sm_90a</c>.</summary>
    public string Name => $"sm_{Capability}{Suffix}";

    /// <summary>Finds a target by name; null if unknown.</summary>
    public static PtxTarget? Find(string name) => All.FirstOrDefault(t => t.Name == name);

    /// <summary>True if the target has the feature.</summary>
    public bool Supports(Feature feature) => feature switch
    {
        Feature.AsyncCopy or Feature.Bf16Mma or Feature.WarpReduce => Capability >= 80,
        Feature.Fp8Convert or Feature.Fp8Mma => Capability >= 89,
        Feature.Bf16Arithmetic or Feature.Cluster or Feature.BulkCopy => Capability >= 90,
        Feature.Wgmma => Capability == 90 && Suffix == "a",
        Feature.TensorMemory => Capability == 100 && Suffix == "a",
        _ => false,
    };

    public override string ToString() => Name;
}
