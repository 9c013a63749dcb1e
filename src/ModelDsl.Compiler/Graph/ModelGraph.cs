using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph;

/// <summary>What a phase computes: ops in an order in which they can run, each value made once.</summary>
/// <param name="Ops">Every op stands after those whose results it reads.</param>
/// <param name="Outputs">What the caller gets.</param>
/// <param name="Taps">Values that must survive to the end, for <c>--dump</c>, under their stable names.</param>
/// <param name="Memory">Where the values lie; null before <c>plan-memory</c>.</param>
public sealed record ModelGraph(
    Phase Phase,
    ImmutableArray<Op> Ops,
    ImmutableArray<GraphOutput> Outputs,
    ImmutableArray<GraphTap> Taps,
    MemoryMap? Memory = null)
{
    /// <summary>The smallest number that no temporary bears.</summary>
    public int NextId
    {
        get
        {
            var next = 0;
            foreach (var op in Ops)
                foreach (var result in op.Results)
                    next = Math.Max(next, ((Temporary)result).Id + 1);
            return next;
        }
    }

    /// <summary>Weight tensors with the layer of their first use, in that order.</summary>
    public IEnumerable<(WeightTensor Weight, int? Layer)> Weights
    {
        get
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var op in Ops)
                foreach (var operand in op.Operands)
                    if (operand is WeightValue value && seen.Add(value.Weight.Key))
                        yield return (value.Weight, op.Layer);
        }
    }

    /// <summary>What must survive to the end: outputs and taps.</summary>
    public IEnumerable<Temporary> Wanted =>
        Outputs.Select(output => output.Value).Concat(Taps.Select(tap => tap.Value)).OfType<Temporary>();

    /// <summary>Readable text; see <see cref="GraphPrinter"/>.</summary>
    public string ToText(PrintOptions? options = null) => GraphPrinter.Print(this, options ?? PrintOptions.Default);
}

public sealed record GraphOutput(StepOutput Output, Value Value);

public sealed record GraphTap(string Name, Value Value);
