using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>
/// What a thread has in local memory while a called function runs: where to return to, the caller's frame, results and parameters,
/// variables, and (of a function that calls itself) the caller's registers.
/// </summary>
internal sealed class Frame(PtxFunction function, int number)
{
    /// <summary>The return address and the caller's frame come first, then results and parameters.</summary>
    public const int LinkBytes = 16;

    public PtxFunction Function { get; } = function;

    public int Number { get; } = number;

    /// <summary>Where its code starts.</summary>
    public int Start { get; set; }

    /// <summary>Bytes so far, or of the whole frame when the function is decoded.</summary>
    public uint Bytes { get; set; }

    /// <summary>The function and those put in the place of its calls: their registers are its own.</summary>
    public List<FunctionInstance> Instances { get; } = [];

    /// <summary>Where the parameters end, which caller and callee must agree on.</summary>
    public uint ParameterEnd { get; private set; }

    /// <summary>Offset of each result and parameter: the same for all functions of a prototype.</summary>
    public static (uint[] Results, uint[] Parameters, uint End) Layout(IReadOnlyList<PtxVariable> results, IReadOnlyList<PtxVariable> parameters)
    {
        uint at = LinkBytes;
        uint[] Place(IReadOnlyList<PtxVariable> variables)
        {
            var offsets = new uint[variables.Count];
            for (int i = 0; i < offsets.Length; i++)
            {
                // Alignments of prototypes may be left out, so every value gets the strictest.
                offsets[i] = at;
                at = (uint)((at + variables[i].Bytes + 15) & ~15);
            }
            return offsets;
        }
        return (Place(results), Place(parameters), at);
    }

    public void PlaceParameters()
    {
        var (results, parameters, end) = Layout(Function.Results, Function.Parameters);
        for (int i = 0; i < results.Length; i++) Function.Results[i].Address = results[i];
        for (int i = 0; i < parameters.Length; i++) Function.Parameters[i].Address = parameters[i];
        Bytes = ParameterEnd = end;
    }
}
