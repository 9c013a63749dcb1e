using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Cli.Output;

/// <summary>Writes all kernels of a plan, on all cores: they know nothing of each other.</summary>
internal static class KernelEmission
{
    /// <param name="lines">With <c>.loc</c>: which line of C# an instruction comes from.</param>
    public static IReadOnlyList<EmittedKernel> Emit(ModelPlan plan, bool lines = false)
    {
        var kernels = plan.Kernels;
        var emitted = new EmittedKernel[kernels.Count];
        Parallel.For(0, kernels.Count, i => emitted[i] = new EmittedKernel(kernels[i], kernels[i].Emit(plan.Target, lines).ToText()));
        return emitted;
    }
}
