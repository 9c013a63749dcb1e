using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Models;

/// <summary>The kernels of one model on one device.</summary>
public sealed class LoadedKernels : IDisposable
{
    private readonly IModule[] _modules;
    private readonly Dictionary<string, IKernel> _kernels = new(StringComparer.Ordinal);

    internal LoadedKernels(IModule[] modules, IReadOnlyList<string> names)
    {
        _modules = modules;
        for (var i = 0; i < modules.Length; i++) _kernels.Add(names[i], modules[i].GetKernel(names[i]));
    }

    /// <summary>A kernel by the name of its <c>.entry</c>.</summary>
    public IKernel this[string name] => _kernels[name];

    public void Dispose()
    {
        foreach (var module in _modules) module.Dispose();
    }
}
