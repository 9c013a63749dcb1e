using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Ptx;

/// <summary>Several kernels for one target, as one text.</summary>
public sealed class PtxModule(PtxTarget target)
{
    /// <summary>The name of the dynamic shared memory of every kernel.</summary>
    internal const string DynamicShared = "dynamic_shared";

    private readonly List<PtxKernel> _kernels = [];

    public PtxTarget Target { get; } = target;

    public IReadOnlyList<PtxKernel> Kernels => _kernels;

    /// <summary>Adds a finished kernel.</summary>
    public PtxModule Add(PtxKernel kernel)
    {
        if (kernel.Target != Target) throw new PtxException($"kernel '{kernel.Name}' is for {kernel.Target}, the module for {Target}");
        if (_kernels.Any(k => k.Name == kernel.Name)) throw new PtxException($"the module has two kernels '{kernel.Name}'");
        _kernels.Add(kernel);
        return this;
    }

    /// <summary>Writes a kernel and adds it.</summary>
    /// <param name="lines">With the lines of C# that asked for its instructions, as <c>.loc</c>.</param>
    public PtxKernel Kernel(string name, Action<KernelBuilder> write, bool lines = false)
    {
        var kernel = PtxKernel.Write(Target, name, write, lines);
        Add(kernel);
        return kernel;
    }

    /// <summary>The text for an assembler or a driver: the same from run to run, lines end in LF.</summary>
    public string ToText() => PtxPrinter.Print(this);
}
