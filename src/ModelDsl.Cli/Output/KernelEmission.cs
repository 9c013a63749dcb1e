using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Cli.Output;

/// <summary>Writes all kernels of a plan, on all cores: they know nothing of each other.</summary>
internal static class KernelEmission
{
    public static IReadOnlyList<EmittedKernel> Emit(ModelPlan plan)
    {
        var kernels = plan.Kernels;
        var emitted = new EmittedKernel[kernels.Count];
        Parallel.For(0, kernels.Count, i => emitted[i] = new EmittedKernel(kernels[i], kernels[i].Emit(plan.Target).ToText()));
        return emitted;
    }
}
