using System.Runtime.CompilerServices;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Binding;

/// <summary>Every file of <c>Broken/</c> and the exact text its reader sees.</summary>
public class BrokenFileTests
{
    private static readonly string Folder = Path.Combine(Path.GetDirectoryName(ThisFile())!, "Broken");

    public static TheoryData<string> Files { get; } =
        new(Directory.GetFiles(Folder, "*.dsm").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Files))]
    public Task Messages(string name)
    {
        var program = FrontEnd.Bind(SourceText.FromBytes($"{name}.dsm", File.ReadAllBytes(Path.Combine(Folder, $"{name}.dsm"))));
        Assert.NotEmpty(program.Diagnostics);
        return Verifier.Verify(DiagnosticText.Render(program.Diagnostics, program.Source), suffix: name);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
