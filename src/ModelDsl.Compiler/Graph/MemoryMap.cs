using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph;

/// <summary>Where each temporary lies while a step runs.</summary>
/// <param name="Bytes">Size of the workspace.</param>
/// <param name="Places">By the number of the temporary.</param>
public sealed record MemoryMap(long Bytes, ImmutableDictionary<int, Place> Places);

/// <summary>Where a temporary lies. Closed.</summary>
public abstract record Place;

/// <param name="Offset">Bytes into the workspace, at a multiple of the plan's alignment unless the value is a view.</param>
/// <param name="Extra">Further bytes that depend on the step; null: none.</param>
/// <param name="Bytes">Size at the limits of the plan.</param>
/// <param name="ScalesOffset">Where the scales of a quantised value lie; 0 for every other.</param>
public sealed record WorkspacePlace(long Offset, Dim? Extra, long Bytes, long ScalesOffset = 0) : Place;

/// <summary>In the buffer that the caller supplies for an output.</summary>
/// <param name="Extra">Bytes into the buffer that depend on the step: a view of the last rows. Null: none.</param>
public sealed record OutputPlace(StepOutput Output, Dim? Extra = null) : Place;

/// <summary>In the cache of a layer.</summary>
public sealed record CachePlace(int Layer) : Place;
