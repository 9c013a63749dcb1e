using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Profiling;

/// <summary>What a phase has cost.</summary>
/// <param name="Steps">How often it was gone through.</param>
/// <param name="Time">Wall time of all steps.</param>
/// <param name="Kernels">The most expensive first.</param>
public sealed record PhaseCost(RunPhase Phase, int Steps, TimeSpan Time, IReadOnlyList<KernelTotal> Kernels)
{
    /// <summary>Time inside launches.</summary>
    public TimeSpan KernelTime => new(Kernels.Sum(kernel => kernel.Time.Ticks));

    /// <summary>Instructions of all kernels, by class.</summary>
    public InstructionMix Mix => Kernels.Aggregate(default(InstructionMix), (sum, kernel) => sum + kernel.Mix);

    /// <summary>Time outside launches: preparing steps, copies, bookkeeping.</summary>
    public TimeSpan HostTime => Time - KernelTime;
}

/// <summary>What a kernel has cost in a phase.</summary>
/// <param name="Time">Wall time of its launches.</param>
/// <param name="WarpInstructions">0 where the device does not count them.</param>
/// <param name="Mix">The same by class; zero where the device does not count by class.</param>
public sealed record KernelTotal(string Name, int Launches, TimeSpan Time, ulong WarpInstructions, InstructionMix Mix = default);
