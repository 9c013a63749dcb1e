using System.Text;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Models;

namespace ModelDsl.Cli.Hosting;

/// <summary>From a plan to a model on a device. What does not need the other goes on at the same time.</summary>
public static class ModelHost
{
    /// <summary>Emits kernels, writes and compiles the host, loads the weights.</summary>
    /// <param name="lines">Kernels say which line of C# their instructions come from, so that findings can.</param>
    /// <exception cref="CheckpointException">Checkpoint and model do not fit, or a file is damaged.</exception>
    /// <exception cref="DeviceException">The device refuses a kernel or has not enough memory.</exception>
    /// <exception cref="ModelException">An option makes no sense.</exception>
    public static CausalLanguageModel Load(
        ModelPlan plan, IDevice device, Checkpoint checkpoint, ModelOptions? options = null, IProgress<LoadProgress>? progress = null,
        bool lines = false)
    {
        var code = new HostCodeOptions();
        var host = Task.Run(
            () => HostCompiler.Compile(HostCodeGenerator.Generate(plan, code), $"{code.Namespace}.{HostCodeGenerator.ClassName(plan)}"));
        var kernels = EmitKernels(plan, lines);
        return host.GetAwaiter().GetResult()(device, checkpoint, kernels, options, progress);
    }

    /// <summary>PTX text of every kernel of a plan, by name.</summary>
    public static KernelLibrary EmitKernels(ModelPlan plan, bool lines = false)
    {
        return KernelLibrary.FromMemory(KernelEmission.Emit(plan, lines).ToDictionary(
            emitted => emitted.Kernel.Name, emitted => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(emitted.Ptx), StringComparer.Ordinal));
    }
}
