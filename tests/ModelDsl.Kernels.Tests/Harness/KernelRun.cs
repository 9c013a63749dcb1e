using System.Runtime.InteropServices;
using System.Text;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;
using KernelParameter = ModelDsl.Compiler.Kernels.KernelParameter;

namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>
/// One launch of one kernel on the tests' device. Buffers are given by parameter name and are exactly as long as their data, so that an
/// access beyond the end is caught; outputs start as garbage, so that what is not written shows.
/// </summary>
/// <param name="edit">Changes the kernel's text, for mistakes on purpose.</param>
/// <param name="counts">Instructions are to be counted, which the virtual GPU does, whatever the tests run on.</param>
public sealed class KernelRun(Kernel kernel, VirtualGpuChecks checks = VirtualGpuChecks.None, Func<string, string>? edit = null, bool counts = false) : IDisposable
{
    private const byte Garbage = 0xA5;

    private readonly IDevice _device = counts ? new VirtualDevice(Options(checks)) : TestDevice.Open(Options(checks));
    private readonly Dictionary<string, DeviceMemory> _buffers = [];
    private readonly Dictionary<string, KernelArgument> _numbers = [];
    private readonly Dictionary<DimSymbol, long> _symbols = [];

    /// <summary>Floating-point data, rounded to the parameter's type.</summary>
    public KernelRun Set(string name, float[] values) => Upload(name, Encode(Parameter(name).Type, values));

    public KernelRun Set(string name, int[] values)
    {
        Assert.Equal(DType.I32, Parameter(name).Type);
        return Upload(name, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }

    public KernelRun Set(string name, byte[] codes)
    {
        Assert.Equal(DType.E4M3, Parameter(name).Type);
        return Upload(name, codes);
    }

    /// <summary>An output of so many elements.</summary>
    public KernelRun Output(string name, int count)
    {
        var bytes = new byte[count * Parameter(name).Type.Bytes()];
        bytes.AsSpan().Fill(Garbage);
        return Upload(name, bytes);
    }

    /// <summary>The same memory under a second name.</summary>
    public KernelRun Alias(string name, string other)
    {
        _buffers[name] = _buffers[other];
        return this;
    }

    public KernelRun Number(string name, int value)
    {
        Assert.Equal(ParameterKind.Int32, Parameter(name).Kind);
        _numbers[name] = value;
        return this;
    }

    public KernelRun Number(string name, float value)
    {
        Assert.Equal(ParameterKind.Float32, Parameter(name).Kind);
        _numbers[name] = value;
        return this;
    }

    public KernelRun Symbol(DimSymbol symbol, long value)
    {
        _symbols[symbol] = value;
        return this;
    }

    /// <summary>Launches with <paramref name="rows"/> for <see cref="DimSymbol.Rows"/> and waits.</summary>
    public KernelRun Launch(int rows)
    {
        _symbols[DimSymbol.Rows] = rows;
        var text = kernel.Emit(PtxTarget.Sm90a, lines: checks != VirtualGpuChecks.None).ToText();
        using var module = _device.LoadModule(Encoding.UTF8.GetBytes(edit is null ? text : edit(text)));
        var arguments = kernel.Parameters.Select(p => p.Map is { } map ? Encode(map, p) : _numbers.TryGetValue(p.Name, out var number) ? number : _buffers[p.Name]).ToArray();
        var geometry = kernel.Geometry;
        int Size(Dim dim) => (int)dim.Evaluate(symbol => _symbols[symbol]);
        using var stream = _device.CreateStream();
        stream.Launch(
            module.GetKernel(kernel.Name),
            new Dim3(Size(geometry.GridX), Size(geometry.GridY), Size(geometry.GridZ)),
            geometry.Threads,
            geometry.SharedBytes,
            arguments);
        stream.Synchronize();
        return this;
    }

    public float[] Floats(string name)
    {
        var bytes = Download(name);
        return Parameter(name).Type switch
        {
            DType.F32 => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            DType.BF16 => [.. MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(Formats.FromBF16)],
            DType.E4M3 => [.. bytes.Select(Formats.FromE4M3)],
            var type => throw new InvalidOperationException($"{name} holds {type}."),
        };
    }

    /// <summary>Instructions that the warps of all launches have executed: what the kernel costs on the virtual GPU.</summary>
    public long WarpInstructions => (long)((VirtualDevice)_device).Profile.Kernels.Single().WarpInstructions;

    /// <summary>What the checks have found.</summary>
    public IReadOnlyList<Finding> Findings => (_device as VirtualDevice)?.Findings ?? [];

    public int[] Ints(string name) => MemoryMarshal.Cast<byte, int>(Download(name)).ToArray();

    public byte[] Codes(string name) => Download(name);

    public void Dispose()
    {
        foreach (var memory in _buffers.Values.Distinct()) memory.Dispose();
        _device.Dispose();
    }

    private KernelArgument Encode(TileMap map, KernelParameter parameter)
    {
        var element = parameter.Type switch { DType.BF16 => TensorMapElement.BF16, DType.F32 => TensorMapElement.F32, _ => TensorMapElement.U8 };
        long Size(Dim dim) => dim.Evaluate(symbol => _symbols[symbol]);
        var matrix = TensorMap.Matrix(_buffers[parameter.Name].Address, element, Size(map.Rows), Size(map.Columns), map.BoxRows, map.BoxColumns, TensorMapSwizzle.Bytes128);
        if (map.Groups is { } groups) matrix = matrix.Grouped(groups);
        return _device.Encode(matrix);
    }

    private static byte[] Encode(DType type, float[] values) => type switch
    {
        DType.F32 => MemoryMarshal.AsBytes(values.AsSpan()).ToArray(),
        DType.BF16 => MemoryMarshal.AsBytes(values.Select(Formats.ToBF16).ToArray().AsSpan()).ToArray(),
        DType.E4M3 => [.. values.Select(Formats.ToE4M3)],
        _ => throw new InvalidOperationException($"Floating-point data for {type}."),
    };

    private KernelParameter Parameter(string name) => kernel.Parameters.Single(p => p.Name == name);

    private static VirtualDeviceOptions Options(VirtualGpuChecks checks) => new() { Workers = 1, Checks = checks };

    private KernelRun Upload(string name, byte[] bytes)
    {
        var memory = _device.Allocate(bytes.Length);
        using var stream = _device.CreateStream();
        stream.Upload(bytes, memory.Address);
        stream.Synchronize();
        _buffers[name] = memory;
        return this;
    }

    private byte[] Download(string name)
    {
        var bytes = new byte[_buffers[name].Bytes];
        using var stream = _device.CreateStream();
        stream.Download(_buffers[name].Address, bytes);
        return bytes;
    }
}
