namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>A kernel did what it must not. The launcher adds where: kernel, line, block, thread.</summary>
internal unsafe class FaultException(string what, Instr* at, int lane) : Exception(what)
{
    public Instr* At { get; } = at;

    /// <summary>The lane at fault, or -1 if it is all of them.</summary>
    public int Lane { get; } = lane;

    /// <summary>The warp at fault; known to whoever runs it.</summary>
    public Warp* Warp { get; set; }
}
