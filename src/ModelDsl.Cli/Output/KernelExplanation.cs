using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Cli.Output;

/// <summary>Which kernels a plan has, and for products by warpgroups why: what the cost model expects of the one chosen and of the next.</summary>
internal static class KernelExplanation
{
    private static HopperGpu Gpu => HopperGpu.Assumed;

    public static string Write(ModelPlan plan)
    {
        var lines = new PlanLines();
        foreach (var phase in plan.Phases)
        {
            var groups = phase.Steps.GroupBy(step => step.Kernel).ToArray();
            lines.Add($"{phase.Name}, {phase.Steps.Count} launches of {groups.Length} kernels at the limits of the plan");
            lines.Add($"  launches  grid           threads   shared  kernel");
            foreach (var group in groups)
            {
                var geometry = group.First().Geometry;
                lines.Add($"  {group.Count(),8}  {Grid(plan, phase, geometry),-13} {geometry.Threads,8} {geometry.SharedBytes,8}  {group.Key.Name}");
                if (Product(group.Key) is { } product) Explain(lines, product, Rows(plan, phase, group.First()));
            }
        }
        if (plan.Kernels.Any(kernel => Product(kernel) is not null))
            lines.Add($"Times are those of a model of {Gpu.Name} ({HopperGpu.Multiprocessors} multiprocessors), not measured: the largest of the tensor cores', L2's and memory's, and {HopperGpu.LaunchMicroseconds} us to start.");
        return lines.ToString();
    }

    private static void Explain(PlanLines lines, (int N, int K, DType Out, DType In) product, long rows)
    {
        var ranks = product.In == DType.BF16
            ? Bf16GemmChoice.Rank(rows, product.N, product.K, product.Out, Gpu)
            : Fp8GemmChoice.Rank(rows, product.N, product.K, product.Out, Gpu);
        var best = ranks[0];
        var next = ranks.FirstOrDefault(rank => rank.Kernel.GetType() != best.Kernel.GetType()) ?? ranks[1];
        lines.Add($"            M {rows}, N {product.N}, K {product.K}: {best.Cost.Microseconds:0.0} us, bound by {best.Cost.Bound} (math {best.Cost.Math:0.0}, L2 {best.Cost.L2:0.0}, memory {best.Cost.Memory:0.0})");
        lines.Add($"            rather than {next.Cost.Microseconds:0.0} us, bound by {next.Cost.Bound}: {next.Kernel.Name}");
    }

    private static (int N, int K, DType Out, DType In)? Product(Kernel kernel) => kernel switch
    {
        Fp8GemmFewRows few => (few.N, few.K, few.Out, DType.E4M3),
        Fp8Gemm { Groups: null } many => (many.N, many.K, many.Out, DType.E4M3),
        Bf16Gemm bf16 => (bf16.N, bf16.K, bf16.Out, DType.BF16),
        _ => null,
    };

    /// <summary>Without what is 1 behind the last that is not.</summary>
    private static string Grid(ModelPlan plan, PhasePlan phase, LaunchGeometry geometry)
    {
        var (x, y, z) = (Limit(plan, phase, geometry.GridX), Limit(plan, phase, geometry.GridY), Limit(plan, phase, geometry.GridZ));
        return z > 1 ? $"{x} x {y} x {z}" : y > 1 ? $"{x} x {y}" : $"{x}";
    }

    private static long Rows(ModelPlan plan, PhasePlan phase, LaunchStep step) => Limit(plan, phase, step.Arguments.Items.OfType<DimArgument>().Single().Value);

    private static long Limit(ModelPlan plan, PhasePlan phase, Dim size) => size.Evaluate(symbol => plan.Limits.Of(symbol, phase.Phase));
}
