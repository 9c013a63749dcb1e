using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Binding;

/// <summary>Short ways to bind a text in a test.</summary>
internal static class Program
{
    public const string Micro = """
        model Micro {
          vocabulary = 256
          hidden     = 128
          attention mla {
            heads    = 2
            q_rank   = 64
            kv_rank  = 64
            nope_dim = 32
            rope_dim = 16
            v_dim    = 32
            rope { yarn = scale(40, original: 32 tokens, mscale_all_dim: 1) }
          }
          layers 0    { dense { width = 192 } }
          layers 1..2 { moe { routed = 8, shared = 1, active = 2, width = 64, gate = sigmoid(scale: 2.5), groups = top(2, of: 4) } }
        }
        """;

    public static string DeepSeekV3 => File.ReadAllText(Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm"));

    public static BoundProgram Bind(string text, params string[] set) =>
        FrontEnd.Bind(SourceText.From("test.dsm", text), new BindOptions([.. set]));

    /// <summary>A program without errors.</summary>
    public static BoundProgram Good(string text, params string[] set)
    {
        var program = Bind(text, set);
        Assert.True(!program.HasErrors, DiagnosticText.Render(program.Diagnostics, program.Source));
        return program;
    }

    /// <summary>The codes of what a text is told, in order.</summary>
    public static IEnumerable<DiagnosticCode> Codes(string text, params string[] set) => Bind(text, set).Diagnostics.Select(d => d.Code);
}
