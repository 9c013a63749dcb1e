using System.Diagnostics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Profiling;

/// <summary>Where the time of a run goes: every launch, and the time of each phase with what the host does between launches.</summary>
/// <remarks>Made and read by one thread. A launch takes some 80 bytes.</remarks>
public sealed class RunProfile
{
    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly List<LaunchRecord> _launches = [];
    private readonly PhaseClock[] _phases = [.. Enum.GetValues<RunPhase>().Select(_ => new PhaseClock())];

    /// <summary>Launches in their order.</summary>
    public IReadOnlyList<LaunchRecord> Launches => _launches;

    private RunPhase Phase { get; set; } = RunPhase.Start;

    /// <summary>A device that does what another does and notes its launches here. It owns the other.</summary>
    public IDevice Watch(IDevice device) => new ProfiledDevice(device, this);

    /// <summary>Starts a step of a phase; dispose of what comes back to end it.</summary>
    public PhaseScope Enter(RunPhase phase)
    {
        if (Phase == RunPhase.Start) _phases[(int)RunPhase.Start].Add(Stopwatch.GetElapsedTime(_begin));
        Phase = phase;
        return new PhaseScope(_phases[(int)phase], Stopwatch.GetTimestamp());
    }

    /// <summary>Phases that took place, in order, each with its kernels.</summary>
    public IReadOnlyList<PhaseCost> Phases() =>
    [
        .. Enum.GetValues<RunPhase>()
            .Where(phase => _phases[(int)phase].Steps > 0)
            .Select(phase => new PhaseCost(phase, _phases[(int)phase].Steps, _phases[(int)phase].Time, Kernels(phase))),
    ];

    internal void Add(string kernel, Dim3 grid, long start, long end, ulong warpInstructions) =>
        _launches.Add(new LaunchRecord(Phase, kernel, grid, Stopwatch.GetElapsedTime(_begin, start), Stopwatch.GetElapsedTime(start, end), warpInstructions));

    private KernelTotal[] Kernels(RunPhase phase) =>
    [
        .. _launches.Where(launch => launch.Phase == phase)
            .GroupBy(launch => launch.Kernel)
            .Select(group => new KernelTotal(
                group.Key, group.Count(), new TimeSpan(group.Sum(launch => launch.Time.Ticks)), group.Aggregate(0UL, (sum, launch) => sum + launch.WarpInstructions)))
            .OrderByDescending(kernel => kernel.Time)
            .ThenBy(kernel => kernel.Name, StringComparer.Ordinal),
    ];

    /// <summary>A step that is going on.</summary>
    public readonly struct PhaseScope : IDisposable
    {
        private readonly PhaseClock _clock;
        private readonly long _start;

        internal PhaseScope(PhaseClock clock, long start) => (_clock, _start) = (clock, start);

        /// <summary>Ends the step.</summary>
        public void Dispose() => _clock?.Add(Stopwatch.GetElapsedTime(_start));
    }

    internal sealed class PhaseClock
    {
        public int Steps { get; private set; }

        public TimeSpan Time { get; private set; }

        public void Add(TimeSpan time) => (Steps, Time) = (Steps + 1, Time + time);
    }
}
