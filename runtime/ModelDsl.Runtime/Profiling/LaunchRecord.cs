using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Profiling;

/// <summary>One launch of a kernel.</summary>
/// <param name="Start">Since the profile began.</param>
/// <param name="WarpInstructions">0 where the device does not count them.</param>
public readonly record struct LaunchRecord(RunPhase Phase, string Kernel, Dim3 Grid, TimeSpan Start, TimeSpan Time, ulong WarpInstructions);
