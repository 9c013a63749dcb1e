using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes.Differentiate;
using ModelDsl.Compiler.Passes.Fuse;
using ModelDsl.Compiler.Passes.PlacePrecision;
using ModelDsl.Compiler.Passes.PlanMemory;
using ModelDsl.Compiler.Passes.Recompute;
using ModelDsl.Compiler.Passes.SelectKernels;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Passes;

/// <summary>The way of a graph from mathematics to launches.</summary>
public static class Pipeline
{
    /// <summary>Every pass there is.</summary>
    public static EquatableArray<Pass> Catalogue { get; } =
    [
        PlacePrecisionPass.Declaration, FusePass.Declaration, SelectKernelsPass.Declaration, PlanMemoryPass.Declaration,
        ShardTensorPass.Declaration, ShardExpertsPass.Declaration, CutStagePass.Declaration, DifferentiatePass.Declaration,
        RecomputePass.Declaration, ShardOptimizerPass.Declaration,
    ];

    /// <summary>What runs when nothing else is asked for.</summary>
    public static EquatableArray<PassCall> Default { get; } =
    [
        // First, because where values are quantised decides what can fuse.
        new PassCall("place-precision"),

        // Before kernels are chosen: what fuses becomes one of them. Some ops exist as part of a fused kernel only.
        new PassCall("fuse"),

        // Formats and shapes are final now; which buffers there are follows from the kernels' parameters.
        new PassCall("select-kernels"),

        // Last, because only launches in their final order have lifetimes.
        new PassCall("plan-memory"),
    ];

    /// <summary>What runs on the graph of the optimizer.</summary>
    public static EquatableArray<PassCall> Optimizer { get; } = [new PassCall("shard-optimizer")];

    /// <summary>What runs on the graph of a training step.</summary>
    public static EquatableArray<PassCall> Training { get; } =
    [
        // Before the backward pass is made, so that it is made of collectives as of anything else. Heads and experts first, where a
        // layer is still whole.
        new PassCall("shard-tensor"),
        new PassCall("shard-experts"),
        new PassCall("cut-stage"),

        // The backward pass follows from the forward pass, whatever that is.
        new PassCall("differentiate"),

        // After it, because what is worth making again is decided by what the backward pass reads.
        new PassCall("recompute"),
    ];

    /// <summary>Runs passes one after the other and verifies the graph after each.</summary>
    /// <param name="printAfter">Called with the name of what has just run (<c>lower</c> first) and its result; null: not called.</param>
    /// <param name="layout">How the step is spread over ranks; null: it is not.</param>
    /// <param name="target">What kernels are written for; null: any.</param>
    /// <exception cref="PassException">A pass does not exist, or cannot do what is asked.</exception>
    /// <exception cref="InvalidGraphException">A pass broke the rules.</exception>
    public static ModelGraph Run(
        ModelGraph graph,
        PrecisionSpec precision,
        PlanLimits limits,
        EquatableArray<PassCall> passes,
        Action<string, ModelGraph>? printAfter = null,
        ParallelLayout? layout = null,
        PtxTarget? target = null)
    {
        graph = graph.Verified("lower");
        printAfter?.Invoke("lower", graph);
        foreach (var call in passes)
        {
            var pass = Find(call);
            var next = pass.Run(graph, new PassContext(precision, limits, pass, call.Settings, layout, target));
            if (!ReferenceEquals(next, graph)) graph = next.Verified(pass.Name);
            printAfter?.Invoke(pass.Name, graph);
        }

        return graph;
    }

    private static Pass Find(PassCall call)
    {
        var pass = Catalogue.FirstOrDefault(known => known.Name == call.Name)
            ?? throw new PassException(
                $"There is no pass '{call.Name}'.", $"There are {string.Join(", ", Catalogue.Select(known => known.Name))}.");
        foreach (var setting in call.Settings)
            if (pass.Options.All(option => option.Name != setting.Name))
                throw new PassException(
                    $"{pass.Name} has no option '{setting.Name}'.",
                    pass.Options.Count == 0 ? "It has none." : $"It has {string.Join(", ", pass.Options.Select(option => option.Name))}.");
        return pass;
    }
}
