using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes.PlanMemory;

/// <summary>A piece of memory that one value needs, or several that share it one after the other.</summary>
internal sealed class Storage(int first, int stretch)
{
    /// <summary>Position of the op that writes it first.</summary>
    public int First { get; } = first;

    /// <summary>Position of the op that reads it last; past the end for what the caller wants.</summary>
    public int Last { get; set; } = first;

    /// <summary>The one stretch of ops in which it lives, such as a layer; null if it lives across their borders.</summary>
    public int? Stretch { get; set; } = stretch;

    public long Bytes { get; set; }

    /// <summary>Where the scales of a quantised value start; 0: there are none.</summary>
    public long ScalesOffset { get; set; }

    public long Offset { get; set; }

    /// <summary>Not in the workspace: an output or a cache.</summary>
    public Place? Elsewhere { get; set; }

    public bool LivesWith(Storage other) => First <= other.Last && other.First <= Last;
}
