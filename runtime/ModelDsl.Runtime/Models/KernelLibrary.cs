using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Models;

/// <summary>Where a model finds the PTX text of its kernels, by name.</summary>
public abstract class KernelLibrary
{
    /// <summary>For people: where this library is.</summary>
    protected abstract string Place { get; }

    /// <summary>Kernels as the compiler leaves them in a folder: <c>{name}.ptx</c>.</summary>
    public static KernelLibrary FromDirectory(string folder) => new Folder(folder);

    /// <summary>Kernels as UTF-8 text in memory, by name.</summary>
    public static KernelLibrary FromMemory(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> texts) => new Memory(texts);

    /// <summary>PTX text of one kernel, or null.</summary>
    protected abstract ReadOnlyMemory<byte>? Find(string name);

    /// <summary>Translates kernels for a device, on all cores.</summary>
    /// <exception cref="ModelException">Kernels are not there; all are named.</exception>
    /// <exception cref="DeviceException">The device refuses a text.</exception>
    public LoadedKernels Load(IDevice device, IReadOnlyList<string> names)
    {
        var texts = names.Select(Find).ToArray();
        var missing = names.Where((_, i) => texts[i] is null).ToList();
        if (missing.Count > 0) throw new ModelException($"{Place} holds no kernel named {string.Join(", ", missing)}.");

        var modules = new IModule?[names.Count];
        try
        {
            Parallel.For(0, names.Count, i => modules[i] = device.LoadModule(texts[i]!.Value.Span));
            return new LoadedKernels([.. modules!], names);
        }
        catch (AggregateException e) when (e.InnerException is DeviceException refusal)
        {
            foreach (var module in modules) module?.Dispose();
            throw new DeviceException(refusal.Message, e);
        }
    }

    private sealed class Folder(string folder) : KernelLibrary
    {
        protected override string Place => folder;

        protected override ReadOnlyMemory<byte>? Find(string name)
        {
            var path = Path.Combine(folder, name + ".ptx");
            return File.Exists(path) ? new ReadOnlyMemory<byte>(File.ReadAllBytes(path)) : (ReadOnlyMemory<byte>?)null;
        }
    }

    private sealed class Memory(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> texts) : KernelLibrary
    {
        protected override string Place => "The kernel library";

        protected override ReadOnlyMemory<byte>? Find(string name) =>
            texts.TryGetValue(name, out var text) ? text : (ReadOnlyMemory<byte>?)null;
    }
}
