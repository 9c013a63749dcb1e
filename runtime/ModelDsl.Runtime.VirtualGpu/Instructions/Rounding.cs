namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>How a value between two representable ones is rounded.</summary>
internal enum Rounding { NearestEven, Zero, Down, Up, NearestAway }
