using System.Globalization;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes.PlanMemory;

/// <summary>Gives every value its place in one workspace, at the limits of the plan.</summary>
public static class PlanMemoryPass
{
    public static Pass Declaration { get; } = new(
        "plan-memory",
        "Gives every value its place in the workspace",
        "A value lives from the op that makes it to the last one that reads it; those that never live together may lie in the same place. "
        + "What crosses a border between layers has the front of the workspace, what lives within a layer the rest of it, packed for each "
        + "layer by itself: so all layers of a kind use the same offsets. Views and sums in place share their operand's memory. Values for "
        + "--dump live to the end.",
        [
            new PassOption("align", "Bytes that offsets are multiples of", "256"),
            new PassOption("reuse", "Sums may overwrite the stream: on or off", "on"),
        ],
        Run);

    private static ModelGraph Run(ModelGraph graph, PassContext context)
    {
        if (!long.TryParse(context["align"], NumberStyles.None, CultureInfo.InvariantCulture, out var alignment)
            || alignment < 16 || (alignment & (alignment - 1)) != 0)
            throw new PassException($"plan-memory: option align is '{context["align"]}'.", "It is a power of two, at least 16.");

        var map = new StorageMap(graph, context.Limits, alignment, context.IsOn("reuse"));
        var groups = map.InWorkspace.ToLookup(storage => storage.Stretch);
        var front = Pack(groups[null], 0, alignment);
        var end = front;
        foreach (var stretch in groups)
            if (stretch.Key is not null)
                end = Math.Max(end, Pack(stretch, front, alignment));
        return graph with { Memory = new MemoryMap(end, map.Places()) };
    }

    /// <summary>
    /// Places pieces from the largest to the smallest, each at the lowest offset where it meets none that lives at the same time.
    /// Returns the end of the highest.
    /// </summary>
    private static long Pack(IEnumerable<Storage> pieces, long start, long alignment)
    {
        var placed = new List<Storage>();
        var end = start;
        foreach (var piece in pieces.OrderByDescending(piece => piece.Bytes).ThenBy(piece => piece.First))
        {
            piece.Offset = start;
            foreach (var other in placed)
            {
                if (!piece.LivesWith(other)) continue;
                if (piece.Offset + piece.Bytes <= other.Offset) break;
                piece.Offset = Math.Max(piece.Offset, Align(other.Offset + other.Bytes, alignment));
            }

            var index = placed.FindIndex(other => other.Offset > piece.Offset);
            placed.Insert(index < 0 ? placed.Count : index, piece);
            end = Math.Max(end, Align(piece.Offset + piece.Bytes, alignment));
        }

        return end;
    }

    private static long Align(long bytes, long alignment) => (bytes + alignment - 1) / alignment * alignment;
}
