namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Who accessed a piece of memory last: two writes and two reads, each a number of an <see cref="AccessEvent"/> and a lane in the low five bits.
/// Zero is nobody. Of accesses that nothing orders the second slot keeps one by another warp than the first.
/// </summary>
internal struct AccessCell
{
    public const int MaxShift = 4;

    public uint Write, OtherWrite, Read, OtherRead;
}

/// <summary>An access by a warp: all accesses of one instruction between two points of synchronisation are the same one.</summary>
/// <param name="Clock">The warp's clock then.</param>
/// <param name="Group">For <c>cp.async</c>: the group the copy is in; -1 for what is done at once.</param>
internal readonly record struct AccessEvent(long Block, int Warp, int Clock, int Group, CheckSite Site);
