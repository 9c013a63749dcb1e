using ModelDsl.Cli.Output;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Cli.Snapshots;

/// <summary>A text that somebody has looked at and accepted, or that waits for it; line ends are LF.</summary>
/// <param name="File">Its name after the conventions of Verify: <c>TinyV3.argmax_v512.verified.ptx</c>.</param>
internal sealed record Snapshot(string File, string Text)
{
    /// <summary>Of every kernel of a model, and of its host.</summary>
    public static IReadOnlyList<Snapshot> Of(ModelPlan plan)
    {
        var model = HostCodeGenerator.ClassName(plan);
        return
        [
            new Snapshot($"{model}.verified.cs", HostCodeGenerator.Generate(plan)),
            .. KernelEmission.Emit(plan)
                .Select(emitted => new Snapshot($"{model}.{emitted.Kernel.Name}.verified.ptx", emitted.Ptx))
                .OrderBy(snapshot => snapshot.File, StringComparer.Ordinal),
        ];
    }

    /// <summary>Whether a file bears a name that a model's snapshots have, whatever its kernels are.</summary>
    public static bool IsOf(ModelPlan plan, string file)
    {
        var model = HostCodeGenerator.ClassName(plan) + ".";
        return file == model + "verified.cs"
            || (file.StartsWith(model, StringComparison.Ordinal) && file.EndsWith(".verified.ptx", StringComparison.Ordinal)
                && file.Count(c => c == '.') == 3);
    }
}
