using System.Globalization;
using System.Runtime.Loader;
using System.Security.Cryptography;
using System.Text;
using Microsoft.CodeAnalysis;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;
using static ModelDsl.Testing.Verifier;
using SourceText = ModelDsl.Compiler.Syntax.SourceText;

namespace ModelDsl.Generators.Tests;

public class GeneratedSourceTests
{
    [Fact]
    public Task The_class_of_tiny_v3_reads_as_if_written_by_hand() => Verify(TinyFile("TinyV3.g.cs"), "cs");

    [Fact]
    public Task The_part_that_knows_the_kernels_is_short() => Verify(TinyFile("TinyV3.Kernels.g.cs"), "cs");

    [Theory]
    [InlineData("tiny")]
    [InlineData("deepseek")]
    public void What_is_generated_compiles_without_a_warning(string model)
    {
        var host = new GeneratorHost(("/p/m.dsm", model == "tiny" ? GeneratorHost.TinyV3 : GeneratorHost.DeepSeekV3));
        var run = host.Run();
        Assert.Empty(run.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error));
        using var image = new MemoryStream();
        Assert.Empty(host.Output.Emit(image).Diagnostics.Where(found => found.Severity >= DiagnosticSeverity.Warning));
    }

    [Fact]
    public void Every_kernel_is_a_file_of_its_own_and_its_bytes_are_those_the_compiler_writes()
    {
        var model = FrontEnd.Bind(SourceText.From("m.dsm", GeneratorHost.TinyV3)).Models[0];
        var plan = ModelCompiler.Compile(
            model, BuiltInPrecision.Bf16, new CompileOptions(PtxTarget.Sm80, new PlanLimits(512, 1, 1024))).Plan!;
        var host = new GeneratorHost(("/p/m.dsm", GeneratorHost.TinyV3));
        var run = host.Run();
        Assert.Equal(plan.Kernels.Count + 2, run.GeneratedSources.Length);

        using var image = new MemoryStream();
        Assert.True(host.Output.Emit(image).Success);
        image.Position = 0;
        var assembly = new AssemblyLoadContext("generated").LoadFromStream(image);
        var library = assembly.GetType("UserProject.TinyV3+EmbeddedLibrary", throwOnError: true)!;
        var find = library.GetMethod("Find", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!;
        var kernels = Activator.CreateInstance(library);
        foreach (var kernel in plan.Kernels)
        {
            var text = (ReadOnlyMemory<byte>)find.Invoke(kernels, [kernel.Name])!;
            Assert.Equal(kernel.Emit(PtxTarget.Sm80).ToText(), Encoding.UTF8.GetString(text.Span));
        }
    }

    [Fact]
    public void Options_of_the_item_choose_precision_target_and_values()
    {
        var host = new GeneratorHost(("/p/m.dsm", GeneratorHost.TinyV3))
            .With("/p/m.dsm", "Precision", "fp8")
            .With("/p/m.dsm", "PtxTarget", "sm_90a")
            .With("/p/m.dsm", "Set", "model.vocabulary=640 | model.context=256");
        var text = Text(host.Run(), "TinyV3.g.cs");
        Assert.Contains("TinyV3 for sm_90a", text);
        Assert.Contains("precision fp8", text);
        Assert.Contains("const int Vocabulary = 640;", text);
        Assert.Contains("const int Context = 256;", text);
    }

    [Fact]
    public void Used_files_are_found_among_the_additional_files_and_their_models_are_their_own()
    {
        var host = new GeneratorHost(
            ("/p/models/small.dsm", "use \"../base/tiny.dsm\"\nmodel Small from TinyV3 { vocabulary = 256 }\n"),
            ("/p/base/tiny.dsm", GeneratorHost.TinyV3));
        var run = host.Run();
        Assert.Empty(run.Diagnostics);
        Assert.Contains("const int Vocabulary = 256;", Text(run, "Small.g.cs"));
        Assert.Contains("const int Vocabulary = 512;", Text(run, "TinyV3.g.cs"));
    }

    /// <summary>Signs, separators and digits as in Turkish, Swedish and Persian, which number formats hold without any culture's data.</summary>
    [Theory]
    [InlineData("−", ",", ".", "0123456789")]
    [InlineData("−", ",", "\u00A0", "0123456789")]
    [InlineData("\u200E−", "٫", "٬", "۰۱۲۳۴۵۶۷۸۹")]
    public void The_machine_s_culture_changes_nothing(string minus, string point, string group, string digits)
    {
        var expected = Everything();
        var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (odd.NumberFormat.NegativeSign, odd.NumberFormat.NumberDecimalSeparator, odd.NumberFormat.NumberGroupSeparator) = (minus, point, group);
        odd.NumberFormat.NativeDigits = [.. digits.Select(digit => digit.ToString())];
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = odd;
        try
        {
            Assert.Equal($"{minus}1{point}5", (-1.5).ToString("F1"));
            Assert.Equal(expected, Everything());
            Assert.Same(odd, CultureInfo.CurrentCulture);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    /// <summary>Every file that two models in two precisions become, by its hash, and every message on the way there.</summary>
    private static List<string> Everything()
    {
        var host = new GeneratorHost(("/p/tiny-v3.dsm", GeneratorHost.TinyV3), ("/p/deepseek-v3.dsm", GeneratorHost.DeepSeekV3))
            .With("/p/tiny-v3.dsm", "Precision", "fp8")
            .With("/p/tiny-v3.dsm", "Set", "model.context=65536");
        var run = host.RunOnce();
        static string Hash(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

        return
        [
            .. run.GeneratedSources.Select(source => $"{source.HintName} {Hash(source.SourceText.ToString())}"),
            .. run.Diagnostics.Select(found => found.ToString()),
        ];
    }

    private static string TinyFile(string name) => Text(new GeneratorHost(("/p/tiny-v3.dsm", GeneratorHost.TinyV3)).Run(), name);

    private static string Text(GeneratorRunResult run, string name) =>
        run.GeneratedSources.Single(source => source.HintName == name).SourceText.ToString();
}
