using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>A function at one place where it is called (or an entry): the rows its registers have there.</summary>
internal sealed class FunctionInstance
{
    public FunctionInstance(PtxFunction function, FunctionInstance? caller)
    {
        Function = function;
        Caller = caller;
        Rows = new int[function.Registers.Count];
        Array.Fill(Rows, -1);
        Starts = new int[function.Instructions.Count + 1];
    }

    public PtxFunction Function { get; }

    public FunctionInstance? Caller { get; }

    /// <summary>Row (or predicate slot) of each virtual register; negative until it is first met.</summary>
    public int[] Rows { get; }

    /// <summary>Where in the code each PTX instruction starts, and behind the last one where the function ends.</summary>
    public int[] Starts { get; }

    /// <summary>Number of the PTX instruction being decoded.</summary>
    public int Current { get; set; }
}
