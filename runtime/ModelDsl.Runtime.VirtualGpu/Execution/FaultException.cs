namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>A kernel did what it must not and cannot go on. The launcher adds where: kernel, line, block, thread.</summary>
internal unsafe class FaultException(FindingKind kind, string what, Instr* at, int lane) : Exception(what)
{
    public FindingKind Kind { get; } = kind;

    public Instr* At { get; } = at;

    /// <summary>The lane at fault, or -1 if it is all of them.</summary>
    public int Lane { get; } = lane;

    /// <summary>Where it wanted to access memory, if it did.</summary>
    public ulong? Address { get; init; }

    /// <summary>A second instruction that has to do with it, or null.</summary>
    public Instr* Other { get; init; }

    /// <summary>The warp at fault; known to whoever runs it.</summary>
    public Warp* Warp { get; set; }
}
