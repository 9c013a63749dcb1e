using ModelDsl.Cli.Benchmarking;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Execution;

/// <summary>A kernel and how it is launched.</summary>
internal sealed record ExecLaunch(IKernel Kernel, Dim3 Grid, Dim3 Block, Dim3? Cluster, int SharedBytes)
{
    public void On(IStream stream, KernelArgument[] arguments)
    {
        if (Cluster is { } blocks) stream.LaunchClusters(Kernel, Grid, Block, blocks, SharedBytes, arguments);
        else stream.Launch(Kernel, Grid, Block, SharedBytes, arguments);
    }
}

/// <summary>A kernel's arguments on a device: buffers filled, structures laid out, sizes compared with the kernel's parameters.</summary>
internal sealed class KernelExecution : IDisposable
{
    private const int MapAlignment = 64;
    private readonly IDevice _device;
    private readonly IStream _stream;
    private readonly List<DeviceBuffer> _buffers = [];
    private readonly List<KernelArgument> _arguments = [];

    private KernelExecution(IDevice device)
    {
        _device = device;
        _stream = device.CreateStream();
    }

    public IReadOnlyList<DeviceBuffer> Buffers => _buffers;

    /// <exception cref="TroubleException">The arguments do not fit the kernel, or not into memory.</exception>
    public static KernelExecution Prepare(IDevice device, KernelSignature kernel, IReadOnlyList<ExecArgument> arguments)
    {
        CheckFit(kernel, arguments);
        var wanted = arguments.SelectMany(Flatten).OfType<BufferArgument>().Aggregate((Int128)0, (sum, buffer) => sum + buffer.Bytes);
        var free = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (wanted > free) throw TroubleException.Failed($"the buffers have {wanted:N0} bytes, and this machine has {free:N0}");
        var execution = new KernelExecution(device);
        try
        {
            for (var i = 0; i < arguments.Count; i++) execution.Place($"arg{i}", arguments[i]);
            return execution;
        }
        catch
        {
            execution.Dispose();
            throw;
        }
    }

    /// <summary>Runs the kernel and returns how long that took.</summary>
    public TimeSpan Run(ExecLaunch launch)
    {
        _stream.Synchronize();
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        launch.On(_stream, [.. _arguments]);
        try
        {
            _stream.Synchronize();
        }
        catch (DeviceException fault) when (!fault.IsKernelFault)
        {
            throw new DeviceException(fault.Message, fault) { IsKernelFault = true };
        }
        return System.Diagnostics.Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Runs the kernel many times, on buffers as earlier runs left them.</summary>
    public KernelTime Measure(ExecLaunch launch, int runs, L2Contents contents)
    {
        using var timer = new KernelTimer(_device, contents);
        KernelArgument[] arguments = [.. _arguments];
        return timer.Measure(() => launch.On(timer.Stream, arguments), runs);
    }

    public void Dispose()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
        _stream.Dispose();
    }

    private static void CheckFit(KernelSignature kernel, IReadOnlyList<ExecArgument> arguments)
    {
        if (arguments.Count != kernel.Parameters.Count)
            throw TroubleException.Usage($"'{kernel.Name}' takes {kernel.Parameters.Count} arguments, not {arguments.Count}: {kernel}");
        for (var i = 0; i < arguments.Count; i++)
        {
            var (parameter, size) = (kernel.Parameters[i], Measure(arguments[i]).Bytes);
            if (size != parameter.Bytes)
                throw TroubleException.Usage($"--arg {arguments[i].Text} has {size} bytes, but parameter {i} is {parameter} of {parameter.Bytes}: {kernel}");
        }
    }

    private static IEnumerable<ExecArgument> Flatten(ExecArgument argument) => argument switch
    {
        StructArgument { Members: var members } => members.SelectMany(Flatten),
        TensorMapArgument { Buffer: { } buffer } => [buffer],
        _ => [argument],
    };

    /// <summary>Size and alignment as C has them.</summary>
    private static (int Bytes, int Alignment) Measure(ExecArgument argument)
    {
        if (argument is ValueArgument value) return (value.Bytes.Length, value.Alignment);
        if (argument is TensorMapArgument) return (TensorMap.Bytes, MapAlignment);
        if (argument is not StructArgument { Members: var members }) return (sizeof(ulong), sizeof(ulong));
        var (bytes, alignment) = (0, 1);
        foreach (var (size, own) in members.Select(Measure))
        {
            bytes = Align(bytes, own) + size;
            alignment = Math.Max(alignment, own);
        }
        return (Align(bytes, alignment), alignment);
    }

    private static int Align(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;

    private void Place(string name, ExecArgument argument)
    {
        var bytes = new byte[Measure(argument).Bytes];
        Write(name, argument, bytes);
        _arguments.Add(bytes.Length <= sizeof(ulong) ? new KernelArgument(Word(bytes), bytes.Length) : KernelArgument.OfBytes(bytes));
    }

    private void Write(string name, ExecArgument argument, Span<byte> to)
    {
        switch (argument)
        {
            case ValueArgument value:
                value.Bytes.CopyTo(to);
                break;
            case BufferArgument buffer:
                _buffers.Add(new DeviceBuffer(name, buffer, _device, _stream));
                System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(to, _buffers[^1].Memory.Address);
                break;
            case TensorMapArgument map:
                if (map.Buffer is { } own) _buffers.Add(new DeviceBuffer(name, own, _device, _stream));
                var mapped = map.Buffer is null ? _buffers.FirstOrDefault(known => known.Name == $"arg{map.Reference}") : _buffers[^1];
                if (mapped is null) throw TroubleException.Usage($"--arg {map.Text}: no argument before it is a buffer of number {map.Reference}");
                _device.Encode(map.Of(mapped.Argument, mapped.Memory.Address)).Block!.CopyTo(to);
                break;
            case StructArgument { Members: var members }:
                var at = 0;
                for (var i = 0; i < members.Count; i++)
                {
                    var (size, alignment) = Measure(members[i]);
                    at = Align(at, alignment);
                    Write($"{name}.{i}", members[i], to.Slice(at, size));
                    at += size;
                }
                break;
        }
    }

    private static ulong Word(ReadOnlySpan<byte> bytes)
    {
        var word = 0UL;
        for (var i = bytes.Length - 1; i >= 0; i--) word = (word << 8) | bytes[i];
        return word;
    }
}
