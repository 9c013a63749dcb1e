using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>One kernel launch. Steps run in order on one stream.</summary>
/// <param name="Geometry">The kernel's geometry in the sizes of this step: what to launch with.</param>
/// <param name="Arguments">One for each of <see cref="Kernel.Parameters"/>, in their order.</param>
/// <param name="Layer">The layer it belongs to; null before the first and after the last.</param>
/// <param name="Comment">What it computes, as the IR prints it; for readers of the generated code.</param>
/// <param name="Origin">The place in the model's text that asked for it.</param>
public sealed record LaunchStep(
    Kernel Kernel, LaunchGeometry Geometry, EquatableArray<PlanArgument> Arguments, int? Layer, string Comment, Origin Origin);
