using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu;

internal sealed class VirtualModule : IModule
{
    private const int NewestTarget = 90;

    private readonly VirtualDevice _device;
    private readonly List<ulong> _variables = [];
    private readonly Dictionary<string, VirtualKernel> _kernels = [];

    /// <summary>Kernels that cannot run here, and why: the others of the text still can.</summary>
    private readonly Dictionary<string, DeviceException> _refused = [];
    private bool _disposed;

    public VirtualModule(VirtualDevice device, string text)
    {
        _device = device;
        PtxModule module = PtxParser.Parse(text);
        RequireTarget(module);
        try
        {
            lock (device.Gate) PlaceVariables(module);
            foreach (PtxFunction function in module.Functions.Where(f => f.IsEntry)) Decode(module, function);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IKernel GetKernel(string name)
    {
        if (_kernels.TryGetValue(name, out VirtualKernel? kernel)) return kernel;
        if (_refused.TryGetValue(name, out DeviceException? reason)) throw new DeviceException(reason.Message, reason);
        string[] names = [.. _kernels.Keys.Concat(_refused.Keys).Select(k => $"'{k}'")];
        throw new DeviceException($"the module has no kernel '{name}'; it has {(names.Length == 0 ? "none" : string.Join(", ", names))}");
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        lock (_device.Gate)
        {
            foreach (ulong address in _variables) _device.Heap.Free(address);
            foreach (VirtualKernel kernel in _kernels.Values) kernel.Decoded.Dispose();
        }
    }

    private void Decode(PtxModule module, PtxFunction function)
    {
        try
        {
            _kernels.TryAdd(function.Name, new VirtualKernel(KernelDecoder.Decode(module, function, _device.Checks), _device.Profile.Of(function.Name)));
        }
        catch (DeviceException reason)
        {
            _refused.TryAdd(function.Name, reason);
        }
    }

    /// <summary>Text for a newer GPU may use what this one lacks; a driver refuses it too.</summary>
    private void RequireTarget(PtxModule module)
    {
        ReadOnlySpan<char> target = module.Target;
        if (!target.StartsWith("sm_")) return;
        ReadOnlySpan<char> number = target[3..].TrimEnd("af");
        if (int.TryParse(number, System.Globalization.CultureInfo.InvariantCulture, out int generation) && generation > NewestTarget)
            throw new DeviceException($"the text is for {target}; the virtual GPU runs up to {_device.Target}");
    }

    private unsafe void PlaceVariables(PtxModule module)
    {
        foreach (PtxVariable variable in module.Variables)
        {
            if (variable.Space is not (StateSpace.Global or StateSpace.Const)) continue;
            if (variable.IsExternal) throw module.Source.Error(variable.Position, $"'{variable.Name}' is defined in another module; linking is not supported");
            variable.Address = _device.Heap.Allocate(variable.Bytes);
            _device.Heap.Shadow?.Of(variable.Address)?.MarkVariable(isReadOnly: variable.Space == StateSpace.Const);
            _variables.Add(variable.Address);
        }
        foreach (PtxVariable variable in module.Variables)
        {
            if (variable.Initial == null || variable.Space is not (StateSpace.Global or StateSpace.Const)) continue;
            byte* host = _device.Heap.Host(variable.Address, variable.Bytes, "an initial value");
            variable.Initial.CopyTo(new Span<byte>(host, variable.Initial.Length));
            foreach (var (offset, symbol) in variable.Relocations ?? [])
            {
                if (offset + sizeof(ulong) > variable.Bytes) throw module.Source.Error(variable.Position, $"the address of '{symbol}' takes 64 bits");
                *(ulong*)(host + offset) += AddressOf(module, symbol) ?? throw module.Source.Error(variable.Position, $"'{symbol}' is not declared");
            }
        }
    }

    private static ulong? AddressOf(PtxModule module, string symbol)
    {
        if (module.Variables.Find(v => v.Name == symbol) is { } variable) return variable.Address + MemoryDecoder.Window(variable.Space);
        int function = module.FindFunction(symbol);
        return function >= 0 ? AddressMap.OfFunction(function) : null;
    }
}

internal sealed class VirtualKernel(DecodedKernel decoded, KernelCost cost) : ICountedKernel
{
    public string Name => Decoded.Function.Name;

    public DecodedKernel Decoded { get; } = decoded;

    public KernelCost Cost { get; } = cost;

    public ulong WarpInstructions => Cost.WarpInstructions;

    public InstructionMix Mix => Cost.Mix;
}
