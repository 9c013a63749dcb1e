namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Device memory by which threads pass messages with strong accesses and no fence: volatile data, then a volatile flag. That is no race, as both are strong, but nothing orders one after
/// the other: who has seen the flag may still read old data. A strong load is such a read where its thread has seen before what the writer wrote later, and was told of no order between the two.
/// </summary>
internal sealed class StaleReads(CheckContext context, AccessLog log)
{
    /// <summary>For each thread that reads, and each whose strong writes it has read, the number of the last of these.</summary>
    private readonly Dictionary<(int Reader, long Block, int Writer), uint> _seen = [];

    public void Begin() => _seen.Clear();

    /// <param name="write">Number and lane of the last write there.</param>
    /// <param name="isOrdered">It happens before this read, as far as its writer goes.</param>
    public void Read(int thread, uint write, bool isOrdered, CheckSite site, in AccessPoint at)
    {
        ref AccessEvent e = ref log.Of(write);
        var (writer, number) = (32 * e.Warp + (int)(write & 31), write >> 5);
        if (!e.Site.IsStrong || (e.Block == context.Block && e.Warp == thread / 32)) return;
        uint seen = _seen.GetValueOrDefault((thread, e.Block, writer));
        if (seen < number) _seen[(thread, e.Block, writer)] = number;
        // An atomic reads what is there, whatever its thread has seen.
        if (seen <= number || isOrdered || site.Kind != SiteKind.Load || !context.IsNew(FindingKind.Race, site, e.Site.Position)) return;
        string block = e.Block == context.Block ? "" : $" of block {context.Launch.BlockAt(e.Block)}";
        context.Report(
            FindingKind.Race, site.Position, e.Site.Position, thread, at.Address,
            $"this reads what thread {context.Launch.ThreadAt(writer)}{block} writes before something that this thread has read already, and no fence lies between the two writes: the old value may still be seen",
            "order them: a fence (membar, __threadfence) between the two writes there and between the two reads here, or a release there and an acquire here");
    }
}
