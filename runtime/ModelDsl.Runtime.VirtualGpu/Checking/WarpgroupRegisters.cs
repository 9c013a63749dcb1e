using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Registers of <c>wgmma</c>: from the product until its group has been waited for nobody else may touch the accumulators or write A, and what others have
/// written has to be fenced before a product uses it.
/// </summary>
internal sealed unsafe class WarpgroupRegisters(CheckContext context)
{
    private State[] _warps = [];

    /// <summary>What is known of a warp, by row in units of four bytes.</summary>
    private sealed class State(int rows)
    {
        /// <summary>The last product under way that uses a row.</summary>
        public CheckSite?[] User { get; } = new CheckSite?[rows];

        /// <summary>Its group plus one, negative where the row is only read.</summary>
        public int[] Group { get; } = new int[rows];

        /// <summary>The last one but products that has written a row, and how many fences there had been.</summary>
        public (CheckSite? Site, int Fences)[] Written { get; } = new (CheckSite?, int)[rows];

        public int Groups { get; set; }

        public int Fences { get; set; }

        public List<int> Busy { get; } = [];
    }

    public void Begin() => _warps = [.. Enumerable.Range(0, context.State->Warps).Select(_ => new State(context.Launch.Kernel.RegisterBytes / 4))];

    /// <summary>Any instruction but a product.</summary>
    public void Run(Warp* warp, CheckSite site)
    {
        State state = _warps[warp->Index];
        foreach (int row in site.Writes) state.Written[row / 4] = (site, state.Fences);
        if (state.Busy.Count == 0) return;
        foreach (int row in site.Writes)
            if (state.User[row / 4] is { } user) Report(warp, site, user, row, "writes");
        foreach (int row in site.Reads)
            if (state.User[row / 4] is { } user && state.Group[row / 4] > 0) Report(warp, site, user, row, "reads");
    }

    /// <param name="fragment">Rows of A, where it is in registers.</param>
    public void Product(Warp* warp, CheckSite site, ReadOnlySpan<int> fragment)
    {
        State state = _warps[warp->Index];
        foreach (int row in site.Writes) Use(warp, state, site, row, isSum: true);
        foreach (int row in fragment) Use(warp, state, site, row, isSum: false);
    }

    public void Fence(Warp* warp) => _warps[warp->Index].Fences++;

    public void Commit(Warp* warp) => _warps[warp->Index].Groups++;

    public void Wait(Warp* warp, int mostLeft)
    {
        State state = _warps[warp->Index];
        state.Busy.RemoveAll(row =>
        {
            if (Math.Abs(state.Group[row]) - 1 >= state.Groups - mostLeft) return false;
            (state.User[row], state.Group[row]) = (null, 0);
            return true;
        });
    }

    private void Use(Warp* warp, State state, CheckSite site, int row, bool isSum)
    {
        int place = row / 4;
        if (state.Written[place] is ({ } writer, var fences) && fences == state.Fences && context.IsNew(FindingKind.WarpgroupRegisters, site, writer.Position))
            context.Report(
                FindingKind.WarpgroupRegisters, site, writer.Position, warp, 0, null, $"this product uses {Name(site, row)}, which was written after the last wgmma.fence",
                "put wgmma.fence.sync.aligned between what writes registers and the first product that uses them");
        if (!isSum && state.User[place] is { } user && state.Group[place] > 0) Report(warp, site, user, row, "reads");
        if (state.User[place] == null) state.Busy.Add(place);
        (state.User[place], state.Group[place]) = (site, isSum ? state.Groups + 1 : -state.Groups - 1);
        state.Written[place] = default;
    }

    private void Report(Warp* warp, CheckSite site, CheckSite user, int row, string does)
    {
        if (!context.IsNew(FindingKind.WarpgroupRegisters, site, user.Position)) return;
        context.Report(
            FindingKind.WarpgroupRegisters, site, user.Position, warp, 0, null, $"this {does} {Name(site, row)}, which a product under way uses: its group has not been waited for",
            "put wgmma.commit_group and wgmma.wait_group between the product and what touches its registers");
    }

    private string Name(CheckSite site, int row) =>
        context.Launch.Kernel.RegisterNumbers.TryGetValue(row, out int number) && site.Instruction.Scope.RegisterName(number) is { } name ? name : "a register";
}
