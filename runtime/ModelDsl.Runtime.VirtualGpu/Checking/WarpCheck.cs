using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>Instructions that lanes of a warp execute together: whether all that are named take part, and whether a shuffle reads from one that does not.</summary>
internal sealed unsafe class WarpCheck(CheckContext context, ThreadClocks clocks, BarrierCheck barriers)
{
    /// <summary>For each warp where lanes wait, and for which others that are on another way.</summary>
    private readonly (CheckSite? At, uint Lanes)[] _awaited = new (CheckSite?, uint)[BlockBarrier.MaxWarps];

    public void Begin() => Array.Clear(_awaited);

    /// <summary>
    /// True once all lanes are there that the instruction needs. Until then the lanes that run wait at <paramref name="at"/>, which runs the check again.
    /// </summary>
    public bool Converge(Warp* warp, CheckSite site, Instr* at, uint mask)
    {
        uint members = site.IsAligned ? Lanes.All : Members(warp, site, mask);
        if (WarpScheduler.Converged(warp, at, members)) return true;
        uint missing = members & warp->Alive & ~warp->Active;
        ref var awaited = ref _awaited[warp->Index];
        if (awaited.At != site) awaited = (site, 0);
        for (int s = 0; s < warp->SplitCount; s++)
        {
            // Those about to leave were never going to come; they do no harm.
            if (s != warp->Current && CheckHandlers.KindAt(warp, warp->Splits[s].Next) != SiteKind.Exit) awaited.Lanes |= warp->Splits[s].Mask & missing;
        }
        return false;
    }

    /// <summary>The lanes are together: are they those the instruction names?</summary>
    public void Run(Warp* warp, CheckSite site, uint mask)
    {
        uint gone = _awaited[warp->Index].At == site ? _awaited[warp->Index].Lanes & ~warp->Alive : 0;
        _awaited[warp->Index] = default;
        if (gone != 0 && IsNew(site)) ReportGone(warp, site, mask, gone);
        if (site.MaskRow < 0) return;
        for (uint left = mask; left != 0;)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint members = ((uint*)(warp->Registers + site.MaskRow))[lane], same = 0;
            for (uint others = left; others != 0; others &= others - 1)
            {
                int other = Bits.TrailingZeroCount(others);
                if (((uint*)(warp->Registers + site.MaskRow))[other] == members) same |= 1u << other;
            }
            left &= ~same;
            if ((same & ~members) != 0 && IsNew(site))
                context.Report(
                    FindingKind.InactiveLanes, site, -1, warp, Bits.TrailingZeroCount(same & ~members), null,
                    $"{CheckContext.Lanes(same & ~members)} of warp {warp->Index} execute this, but their mask 0x{members:x8} does not name them",
                    "name in the mask every lane that executes the instruction");
            uint elsewhere = members & ~same & warp->Alive & ~gone;
            if (elsewhere != 0 && IsNew(site))
                context.Report(
                    FindingKind.InactiveLanes, site, -1, warp, lane, null,
                    $"the mask 0x{members:x8} names {CheckContext.Lanes(elsewhere)} of warp {warp->Index}, which {((elsewhere & mask) != 0 ? "have another mask" : "do not execute this: the guard does not hold for them")}");
            if (site.Kind == SiteKind.WarpBarrier) Meet(warp, same);
            else clocks.Exchange(warp->Index, same);
        }
    }

    /// <summary>Every lane's value must come from a lane that takes part.</summary>
    public void Shuffle(Warp* warp, CheckSite site, uint mask)
    {
        if (mask == Lanes.All || site.Sources.Length < 3) return;
        uint* b = (uint*)(warp->Registers + site.Sources[1]), c = (uint*)(warp->Registers + site.Sources[2]);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left), from = Source(site, lane, b[lane] & 31, c[lane]);
            if (from < 0 || (mask >> from & 1) != 0 || !IsNew(site)) continue;
            int thread = 32 * warp->Index + from;
            CheckSite? exit = thread < 32 * context.State->Warps ? barriers.ExitOf(thread) : null;
            string why = thread >= context.Launch.Block.Count ? "does not exist: the block has fewer threads"
                : exit != null ? "has left the kernel" : "does not execute the shuffle";
            context.Report(
                FindingKind.InactiveLanes, site, exit?.Position ?? -1, warp, lane, null, $"lane {lane} of warp {warp->Index} reads from lane {from}, which {why}",
                "let every lane that is read from execute the shuffle: do not return before it, or read within the lanes that are left");
        }
    }

    private bool IsNew(CheckSite site) => context.Has(VirtualGpuChecks.Sync) && context.IsNew(FindingKind.InactiveLanes, site);

    /// <summary>Lanes tell each other what they know.</summary>
    public void Meet(Warp* warp, uint lanes)
    {
        Meeting meeting = clocks.NewMeeting();
        clocks.Arrive(meeting, warp->Index, lanes);
        clocks.Leave(meeting, warp->Index, lanes);
    }

    private void ReportGone(Warp* warp, CheckSite site, uint mask, uint gone)
    {
        CheckSite? exit = barriers.ExitOf(32 * warp->Index + Bits.TrailingZeroCount(gone));
        context.Report(
            FindingKind.InactiveLanes, site, exit?.Position ?? -1, warp, Bits.TrailingZeroCount(mask), null,
            $"this waits for {CheckContext.Lanes(gone)} of warp {warp->Index}, which took another way and left the kernel without executing it");
    }

    private static uint Members(Warp* warp, CheckSite site, uint mask)
    {
        if (site.MaskRow < 0) return 0;
        uint members = 0;
        for (uint left = mask; left != 0; left &= left - 1) members |= ((uint*)(warp->Registers + site.MaskRow))[Bits.TrailingZeroCount(left)];
        return members;
    }

    /// <summary>The lane a shuffle reads from; -1 where it keeps its own value.</summary>
    private static int Source(CheckSite site, int lane, uint b, uint c)
    {
        int segment = (int)(c >> 8 & 31), clamp = (int)(c & 31), limit = (lane & segment) | (clamp & ~segment);
        if (site.Instruction.Has("up")) return lane - (int)b >= limit ? lane - (int)b : -1;
        int from = site.Instruction.Has("down") ? lane + (int)b : site.Instruction.Has("bfly") ? lane ^ (int)b : (lane & segment) | ((int)b & ~segment);
        return from <= limit ? from & 31 : -1;
    }
}
