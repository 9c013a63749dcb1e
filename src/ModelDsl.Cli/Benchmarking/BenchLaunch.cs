using System.Text;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>A case on a device: translated, its memory filled, ready to be launched any number of times.</summary>
internal sealed class BenchLaunch : IDisposable
{
    private readonly IDevice _device;
    private readonly IStream _stream;
    private readonly BenchCase _case;
    private readonly IModule _module;
    private readonly IKernel _kernel;
    private readonly List<DeviceMemory> _memory = [];
    private readonly KernelArgument[] _arguments;

    public BenchLaunch(IDevice device, IStream stream, BenchCase @case)
    {
        (_device, _stream, _case) = (device, stream, @case);
        _module = device.LoadModule(Encoding.UTF8.GetBytes(@case.Kernel.Emit(PtxTarget.Sm90a).ToText()));
        try
        {
            _kernel = _module.GetKernel(@case.Kernel.Name);
            _arguments = [.. @case.Kernel.Parameters.Select(Argument)];
            stream.Synchronize();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Launch()
    {
        var geometry = _case.Kernel.Geometry;
        _stream.Launch(_kernel, new Dim3(Size(geometry.GridX), Size(geometry.GridY), Size(geometry.GridZ)), geometry.Threads, geometry.SharedBytes, _arguments);
    }

    public void Dispose()
    {
        foreach (var memory in _memory) memory.Dispose();
        _module.Dispose();
    }

    private KernelArgument Argument(KernelParameter parameter)
    {
        if (parameter.Kind == ParameterKind.Int32) return _case.Numbers.TryGetValue(parameter.Name, out var number) ? number : checked((int)_case.Sizes[DimSymbol.Rows]);
        var given = _case.Buffers.GetValueOrDefault(parameter.Name);
        if (parameter.Map is { } map)
        {
            var memory = Keep(given ?? new BenchBuffer.Normal(map.Rows.Evaluate(Value) * map.Columns.Evaluate(Value) * (map.Groups ?? 1)), parameter.Type);
            return _device.Encode(Encode(map, memory, parameter.Type));
        }
        return Keep(given ?? throw new InvalidOperationException($"{_case.Kernel.Name}: nothing is said of '{parameter.Name}'"), parameter.Type);
    }

    private DeviceMemory Keep(BenchBuffer buffer, DType type)
    {
        var memory = BenchData.Allocate(_device, _stream, buffer, type);
        _memory.Add(memory);
        return memory;
    }

    private TensorMap Encode(TileMap map, DeviceMemory memory, DType type)
    {
        var element = type switch { DType.BF16 => TensorMapElement.BF16, DType.F32 => TensorMapElement.F32, _ => TensorMapElement.U8 };
        var matrix = TensorMap.Matrix(memory.Address, element, map.Rows.Evaluate(Value), map.Columns.Evaluate(Value), map.BoxRows, map.BoxColumns, TensorMapSwizzle.Bytes128);
        return map.Groups is { } groups ? matrix.Grouped(groups) : matrix;
    }

    private int Size(Dim dim) => checked((int)dim.Evaluate(Value));

    private long Value(DimSymbol symbol) => _case.Sizes[symbol];
}
