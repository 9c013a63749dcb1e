using System.Diagnostics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>What the kernels of a device have cost, by name.</summary>
public sealed class VirtualGpuProfile
{
    private readonly Dictionary<string, KernelCost> _kernels = [];

    /// <summary>Kernels in the order they were loaded.</summary>
    public IReadOnlyCollection<KernelCost> Kernels
    {
        get
        {
            lock (_kernels) return _kernels.Values.ToArray();
        }
    }

    internal KernelCost Of(string name)
    {
        lock (_kernels)
        {
            if (!_kernels.TryGetValue(name, out KernelCost? cost)) _kernels.Add(name, cost = new KernelCost(name));
            return cost;
        }
    }
}

/// <summary>What a kernel has cost since it was loaded.</summary>
public sealed class KernelCost(string name)
{
    private long _ticks;

    public string Name { get; } = name;

    public long Launches { get; private set; }

    public long Blocks { get; private set; }

    public ulong WarpInstructions { get; private set; }

    /// <summary>The instructions by class, where <see cref="VirtualDeviceOptions.CountsClasses"/> is set.</summary>
    public InstructionMix Mix { get; private set; }

    /// <summary>Wall time of the launches.</summary>
    public TimeSpan Time => Stopwatch.GetElapsedTime(0, _ticks);

    /// <summary>Whether a launch of so many blocks is likely done before another thread has woken up.</summary>
    internal bool IsShort(long blocks)
    {
        if (Blocks == 0) return blocks == 1;
        double expected = (double)_ticks / Blocks * blocks / Stopwatch.Frequency;
        return expected < 30e-6;
    }

    internal void Add(long blocks, ulong instructions, ulong[]? mix, long ticks)
    {
        Launches++;
        Blocks += blocks;
        WarpInstructions += instructions;
        if (mix != null)
        {
            InstructionMix sum = Mix;
            for (int i = 0; i < mix.Length; i++) sum[i] += mix[i];
            Mix = sum;
        }
        _ticks += ticks;
    }
}
