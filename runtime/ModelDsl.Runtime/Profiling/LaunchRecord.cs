using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Profiling;

/// <summary>One launch of a kernel.</summary>
/// <param name="Start">Since the profile began.</param>
/// <param name="WarpInstructions">0 where the device does not count them.</param>
/// <param name="Mix">The same by class; zero where the device does not count by class.</param>
public readonly record struct LaunchRecord(
    RunPhase Phase, string Kernel, Dim3 Grid, Dim3 Block, TimeSpan Start, TimeSpan Time, ulong WarpInstructions, InstructionMix Mix);

/// <summary>One step of a phase.</summary>
/// <param name="Start">Since the profile began.</param>
public readonly record struct StepRecord(RunPhase Phase, TimeSpan Start, TimeSpan Time);
