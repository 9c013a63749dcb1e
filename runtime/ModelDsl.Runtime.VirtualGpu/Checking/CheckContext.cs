using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>The launch and block that run, and the way to report.</summary>
internal sealed unsafe class CheckContext(AccessLog log)
{
    public LaunchInfo Launch { get; private set; } = null!;

    public VirtualGpuChecks Checks => Launch.Kernel.Checks;

    public BlockState* State { get; private set; }

    /// <summary>Number of the block.</summary>
    public long Block { get; set; }

    public bool Has(VirtualGpuChecks check) => (Checks & check) != 0;

    public bool IsBoundTo(Decoding.DecodedKernel kernel) => Launch?.Kernel == kernel;

    public void Bind(LaunchInfo launch, BlockState* state)
    {
        Launch = launch;
        State = state;
    }

    /// <summary>True the first time for a kind of mistake at an instruction (and a second one).</summary>
    public bool IsNew(FindingKind kind, CheckSite site, int otherPosition = -1) => log.IsNew(kind, site, otherPosition);

    /// <param name="otherPosition">Where in the text the second instruction is; negative without one.</param>
    /// <param name="lane">The lane at fault.</param>
    public void Report(FindingKind kind, CheckSite site, int otherPosition, Warp* warp, int lane, ulong? address, string message, string? remedy = null) =>
        Report(kind, site.Position, otherPosition, 32 * warp->Index + lane, address, message, remedy);

    public void Report(FindingKind kind, int position, int otherPosition, int thread, ulong? address, string message, string? remedy = null) =>
        Launch.Findings!.Add(Describe(kind, position, otherPosition, thread, address, message, remedy));

    /// <summary>Reports unless the instruction turns out to take part in a race.</summary>
    public void ReportUnlessRacing(FindingKind kind, CheckSite site, Warp* warp, int lane, ulong? address, string message) =>
        log.Defer(site, Describe(kind, site.Position, -1, 32 * warp->Index + lane, address, message, null));

    private Finding Describe(FindingKind kind, int position, int otherPosition, int thread, ulong? address, string message, string? remedy) => new(
        kind, Launch.Kernel.Function.Name, Launch.Place(position), otherPosition < 0 ? null : Launch.Place(otherPosition),
        Launch.BlockAt(Block), Launch.ThreadAt(thread), address, message, remedy ?? Remedies.Of(kind));

    /// <summary>For people: the lanes of a mask, <c>lanes 0-15, 31</c>.</summary>
    public static string Lanes(uint mask)
    {
        var parts = new List<string>();
        for (int lane = 0; lane < 32; lane++)
        {
            if ((mask >> lane & 1) == 0) continue;
            int last = lane;
            while (last < 31 && (mask >> (last + 1) & 1) != 0) last++;
            parts.Add(last == lane ? $"{lane}" : $"{lane}-{last}");
            lane = last;
        }
        return (System.Numerics.BitOperations.PopCount(mask) == 1 ? "lane " : "lanes ") + string.Join(", ", parts);
    }
}
