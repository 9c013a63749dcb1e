using System.Text;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>What many runs of the same launches took, in microseconds.</summary>
/// <param name="Median">Half of the runs took no longer.</param>
/// <param name="Least">The fastest run.</param>
internal sealed record KernelTime(double Median, double Least);

/// <summary>What is in L2 when a timed run begins: nothing of its own in either case.</summary>
internal enum L2Contents
{
    /// <summary>Memory that was read, as the weights of the layer before.</summary>
    Read,

    /// <summary>Memory that was written: what a kernel reads first has to drive that out, so that each byte costs two until L2's worth has passed.</summary>
    Written,
}

/// <summary>
/// Times launches by the device's events. Before each run memory larger than any L2 is read or written, so that nothing that a kernel reads lies in L2 already, as it would not in a
/// model. Nothing waits for the host between the runs.
/// </summary>
internal sealed class KernelTimer : IDisposable
{
    private const long FlushBytes = 256 << 20;
    private readonly IDevice _device;
    private readonly DeviceMemory? _flush;
    private readonly IModule? _sweep;

    public KernelTimer(IDevice device, L2Contents contents)
    {
        _device = device;
        Stream = device.CreateStream();
        // The virtual GPU has no cache.
        if (device is VirtualDevice) return;
        _flush = device.Allocate(FlushBytes);
        Stream.Fill(_flush.Address, 0, _flush.Bytes);
        if (contents == L2Contents.Read) _sweep = device.LoadModule(Encoding.UTF8.GetBytes(new SweepKernel().Emit(PtxTarget.Sm80).ToText()));
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
                Flush();
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

    private void Flush()
    {
        if (_flush is null) return;
        if (_sweep is null) Stream.Fill(_flush.Address, 0, _flush.Bytes);
        else Stream.Launch(_sweep.GetKernel("sweep"), new Dim3((int)(FlushBytes / SweepKernel.BytesOfBlock), 1, 1), 256, 0, _flush.Address);
    }

    public void Dispose()
    {
        _sweep?.Dispose();
        _flush?.Dispose();
        Stream.Dispose();
    }
}
