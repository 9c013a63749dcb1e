using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Ptx;

/// <summary>A finished kernel: instructions, and what a launch must know.</summary>
/// <param name="Parameters">In order; those of several bytes are passed by value.</param>
/// <param name="LaunchBounds">Directives such as <c>.reqntid</c>, or null.</param>
/// <param name="DynamicSharedBytes">Dynamic shared memory that a launch must give.</param>
/// <param name="DynamicSharedAlign">What its start is a multiple of.</param>
public sealed record PtxKernel(
    PtxTarget Target,
    string Name,
    IReadOnlyList<(string Name, ScalarType Type, int? Bytes)> Parameters,
    string? LaunchBounds,
    IReadOnlyList<(string Name, int Bytes, int Align)> SharedVariables,
    bool UsesDynamicShared,
    int DynamicSharedBytes,
    int DynamicSharedAlign,
    IReadOnlyList<Statement> Statements)
{
    /// <summary>Runs <paramref name="write"/> on a fresh builder, tidies and verifies what it wrote.</summary>
    /// <param name="lines">Every instruction knows the line of C# that asked for it. Takes several times as long.</param>
    public static PtxKernel Write(PtxTarget target, string name, Action<KernelBuilder> write, bool lines = false)
    {
        var k = new KernelBuilder(target, name, lines);
        write(k);
        k.Return();
        var statements = Cleanup.Run(k.Statements);
        Verifier.Check(name, statements);
        return new PtxKernel(target, name, k.Parameters, k.LaunchBounds, k.SharedVariables, k.UsesDynamicShared, k.DynamicSharedBytes,
            k.DynamicSharedAlign, statements);
    }

    /// <summary>The kernel as a module of its own.</summary>
    public string ToText() => new PtxModule(Target).Add(this).ToText();
}
