using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>What many runs of the same launches took, in microseconds.</summary>
/// <param name="Median">Half of the runs took no longer.</param>
/// <param name="Least">The fastest run.</param>
internal sealed record KernelTime(double Median, double Least);

/// <summary>
/// Times launches by the device's events. Before each run memory larger than any L2 is filled, so that nothing that a kernel reads lies in L2 already, as it would not in a
/// model. Nothing waits for the host between the runs.
/// </summary>
internal sealed class KernelTimer : IDisposable
{
    private const long FlushBytes = 256 << 20;
    private readonly IDevice _device;
    private readonly DeviceMemory? _flush;

    public KernelTimer(IDevice device)
    {
        _device = device;
        Stream = device.CreateStream();
        // The virtual GPU has no cache.
        _flush = device is VirtualDevice ? null : device.Allocate(FlushBytes);
    }

    /// <summary>Where launches have to go.</summary>
    public IStream Stream { get; }

    /// <param name="launch">Queues what is timed on <see cref="Stream"/>.</param>
    /// <param name="runs">How often, after one run that is not counted.</param>
    /// <exception cref="DeviceException">A kernel cannot be launched, or faults.</exception>
    public KernelTime Measure(Action launch, int runs)
    {
        launch();
        Stream.Synchronize();
        var marks = Enumerable.Range(0, runs).Select(_ => (Start: _device.CreateEvent(), End: _device.CreateEvent())).ToArray();
        try
        {
            foreach (var (start, end) in marks)
            {
                if (_flush is not null) Stream.Fill(_flush.Address, 0, _flush.Bytes);
                Stream.Record(start);
                launch();
                Stream.Record(end);
            }
            Stream.Synchronize();
            double[] times = [.. marks.Select(mark => mark.End.Since(mark.Start).TotalMicroseconds).Order()];
            return new KernelTime((times[(runs - 1) / 2] + times[runs / 2]) / 2, times[0]);
        }
        finally
        {
            foreach (var (start, end) in marks)
            {
                start.Dispose();
                end.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _flush?.Dispose();
        Stream.Dispose();
    }
}
