namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>A function that calls go to at run time. Lives in native memory beside the code.</summary>
internal unsafe struct FunctionRecord
{
    /// <summary>Its first instruction; null if the kernel has no body for it.</summary>
    public Instr* Code;
    public uint FrameBytes;

    /// <summary>Where results and parameters end in its frame.</summary>
    public uint ParameterEnd;

    /// <summary>Rows to keep for the caller: wide ones, narrow ones, predicates; none unless the function may call itself.</summary>
    public int* Rows;
    public int Predicates, Narrow, Wide;

    /// <summary>Where in the frame they are kept.</summary>
    public uint RowsAt;
}
