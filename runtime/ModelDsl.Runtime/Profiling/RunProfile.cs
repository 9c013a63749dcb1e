using System.Diagnostics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Profiling;

/// <summary>Where the time of a run goes: every launch, and the time of each phase with what the host does between launches.</summary>
/// <remarks>Made and read by one thread. A launch takes some 150 bytes.</remarks>
public sealed class RunProfile
{
    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly List<LaunchRecord> _launches = [];
    private readonly List<StepRecord> _steps = [];
    private readonly PhaseClock[] _phases = [.. Enum.GetValues<RunPhase>().Select(_ => new PhaseClock())];

    /// <summary>Launches in their order.</summary>
    public IReadOnlyList<LaunchRecord> Launches => _launches;

    /// <summary>Steps of all phases in their order; the one that is going on is not among them.</summary>
    public IReadOnlyList<StepRecord> Steps => _steps;

    private RunPhase Phase { get; set; } = RunPhase.Start;

    /// <summary>A device that does what another does and notes its launches here. It owns the other.</summary>
    public IDevice Watch(IDevice device) => new ProfiledDevice(device, this);

    /// <summary>Starts a step of a phase; dispose of what comes back to end it.</summary>
    public PhaseScope Enter(RunPhase phase)
    {
        if (Phase == RunPhase.Start) Add(RunPhase.Start, _begin);
        Phase = phase;
        return new PhaseScope(this, phase, Stopwatch.GetTimestamp());
    }

    /// <summary>Phases that took place, in order, each with its kernels.</summary>
    public IReadOnlyList<PhaseCost> Phases() =>
    [
        .. Enum.GetValues<RunPhase>()
            .Where(phase => _phases[(int)phase].Steps > 0)
            .Select(phase => new PhaseCost(phase, _phases[(int)phase].Steps, _phases[(int)phase].Time, Kernels(phase))),
    ];

    internal void Add(string kernel, Dim3 grid, Dim3 block, long start, long end, ulong warpInstructions, in InstructionMix mix) =>
        _launches.Add(new LaunchRecord(
            Phase, kernel, grid, block, Stopwatch.GetElapsedTime(_begin, start), Stopwatch.GetElapsedTime(start, end), warpInstructions, mix));

    private void Add(RunPhase phase, long start)
    {
        var time = Stopwatch.GetElapsedTime(start);
        _phases[(int)phase].Add(time);
        _steps.Add(new StepRecord(phase, Stopwatch.GetElapsedTime(_begin, start), time));
    }

    private KernelTotal[] Kernels(RunPhase phase) =>
    [
        .. _launches.Where(launch => launch.Phase == phase)
            .GroupBy(launch => launch.Kernel)
            .Select(group => new KernelTotal(
                group.Key, group.Count(), new TimeSpan(group.Sum(launch => launch.Time.Ticks)), group.Aggregate(0UL, (sum, launch) => sum + launch.WarpInstructions),
                group.Aggregate(default(InstructionMix), (sum, launch) => sum + launch.Mix)))
            .OrderByDescending(kernel => kernel.Time)
            .ThenBy(kernel => kernel.Name, StringComparer.Ordinal),
    ];

    /// <summary>A step that is going on.</summary>
    public readonly struct PhaseScope : IDisposable
    {
        private readonly RunProfile _profile;
        private readonly RunPhase _phase;
        private readonly long _start;

        internal PhaseScope(RunProfile profile, RunPhase phase, long start) => (_profile, _phase, _start) = (profile, phase, start);

        /// <summary>Ends the step.</summary>
        public void Dispose() => _profile?.Add(_phase, _start);
    }

    internal sealed class PhaseClock
    {
        public int Steps { get; private set; }

        public TimeSpan Time { get; private set; }

        public void Add(TimeSpan time) => (Steps, Time) = (Steps + 1, Time + time);
    }
}
