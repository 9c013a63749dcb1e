using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu;

internal sealed class VirtualModule : IModule
{
    private const int NewestTarget = 90;

    private readonly VirtualDevice _device;
    private readonly List<ulong> _variables = [];
    private readonly Dictionary<string, VirtualKernel> _kernels = [];
    private bool _disposed;

    public VirtualModule(VirtualDevice device, string text)
    {
        _device = device;
        PtxModule module = PtxParser.Parse(text);
        RequireTarget(module);
        try
        {
            lock (device.Gate) PlaceVariables(module);
            foreach (PtxFunction function in module.Functions.Where(f => f.IsEntry))
                _kernels.Add(function.Name, new VirtualKernel(KernelDecoder.Decode(module, function, device.Checks), device.Profile.Of(function.Name)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IKernel GetKernel(string name) => _kernels.TryGetValue(name, out VirtualKernel? kernel)
        ? kernel
        : throw new DeviceException($"the module has no kernel '{name}'; it has {(_kernels.Count == 0 ? "none" : string.Join(", ", _kernels.Keys.Select(k => $"'{k}'")))}");

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
                PtxVariable target = module.Variables.Find(v => v.Name == symbol) ?? throw module.Source.Error(variable.Position, $"'{symbol}' is not declared");
                *(ulong*)(host + offset) = target.Address;
            }
        }
    }
}

internal sealed class VirtualKernel(DecodedKernel decoded, KernelCost cost) : ICountedKernel
{
    public string Name => Decoded.Function.Name;

    public DecodedKernel Decoded { get; } = decoded;

    public KernelCost Cost { get; } = cost;

    public ulong WarpInstructions => Cost.WarpInstructions;
}
