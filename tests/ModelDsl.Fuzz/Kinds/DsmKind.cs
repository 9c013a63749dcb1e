using System.Collections.Immutable;
using System.Text;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Formatting;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Fuzz.Inputs;
using ModelDsl.Testing;

namespace ModelDsl.Fuzz.Kinds;

/// <summary>
/// Texts of the language: messages with codes and places inside the text, formatting that changes no meaning, and for what has no errors a
/// plan, the host's C# and (of some) the kernels.
/// </summary>
internal sealed class DsmKind : FuzzKind, ISourceProvider
{
    // A plan of more layers says nothing that these do not say, and takes its time.
    private const int MostLayersCompiled = 80;

    private static readonly string[] Dictionary =
    [
        "{", "}", "(", ")", "[", "]", "=", ",", ":", "..", ".", "-", "+", "*", "/", "\"", "//", "/*", "*/", "#", "%", "$", "model", "precision", "cluster", "train", "extend",
        "serve", "use", "param", "from", "none", "true", "false", "layers", "dense", "moe", "rope", "attention", "mla", "heads", "hidden", "norm", "rms", "epsilon", "gate",
        "sigmoid", "softmax", "top", "groups", "of", "tokens", "GB", "s", "steps", "ceil", "floor", "round", "fp8", "bf16", "e4m3", "\n", " ", "self.dsm", "x",
    ];

    private readonly TextDamage _damage = new(Dictionary);
    private byte[] _self = [];

    public override string Name => "dsm";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. new[] { "deepseek-v3", "tiny-v3" }.Select(name => File.ReadAllBytes(Repository.PathTo("samples", name, $"{name}.dsm"))),
        .. """
           param width = 64
           model A { vocabulary = 64, hidden = width * 2
             attention mla { heads = 2, kv_rank = 32, nope_dim = 16, rope_dim = 8, v_dim = 16 }
             layers 0 { dense { width = ceil(width * 8 / 3, 16) } }
             layers 1..2 { moe { routed = 4, active = 2, width = 32, gate = softmax(scale: 1.5) } } // experts
           }
           model B from A { hidden = 64, attention { q_rank = 16, rope { yarn = scale(4, original: 32 tokens) } }, layers 0..2 { dense { width = 48 } } }
           use "other.dsm"
           """u8.ToArray() is var small ? new[] { small } : [],
        [],
        [.. "\uFEFFmodel M { }\r\n"u8],
    ];

    public override byte[] Make(byte[] known, byte[] other, Random random) =>
        random.Next(4) == 0 ? Encoding.UTF8.GetBytes(new DsmGrammar(random).File()) : _damage.Spoil(known, other, random);

    public override long MostAllocated(int length) => base.MostAllocated(length) + (2L << 30);

    SourceLookup ISourceProvider.Find(string from, string path) => path switch
    {
        "self.dsm" => SourceLookup.Found(SourceText.FromBytes("main.dsm", _self)),
        "other.dsm" => SourceLookup.Found(SourceText.From("other.dsm", "use \"self.dsm\"\nparam x = 3\nmodel C from A { hidden = x }")),
        _ => SourceLookup.Missing("there is no such file"),
    };

    public override string Check(byte[] input)
    {
        _self = input;
        var source = SourceText.FromBytes("main.dsm", input);
        var program = FrontEnd.Bind(source, new BindOptions(ImmutableArray<string>.Empty, null, this));
        Places(program.Diagnostics, program.Source);
        DiagnosticText.Render(program.Diagnostics, program.Source);
        DiagnosticJson.Render(program.Diagnostics, program.Source);
        DiagnosticSarif.Render(program.Diagnostics, program.Source);
        Format(source);
        var way = string.Join(' ', program.Diagnostics.Select(d => d.Id).Distinct().Order(StringComparer.Ordinal));
        if (program.HasErrors) return way;
        foreach (var model in program.Models.Take(2)) way += Compile(model, program, input.Length);
        return way;
    }

    /// <summary>Every message has a place, and the place is in the text it names.</summary>
    public static void Places(IEnumerable<Diagnostic> diagnostics, Func<string, SourceText?> source)
    {
        foreach (var diagnostic in diagnostics)
            foreach (var span in diagnostic.Notes.Select(n => n.Span).Prepend(diagnostic.Span))
            {
                if (source(span.Path) is not { } text) throw new ViolationException($"{diagnostic.Id} has no text it could point into");
                // What is wrong with a file as a whole is said of its first character, though nothing of it was read.
                if (span.Start < 0 || span.Length < 0 || span.End > text.Text.Length) throw new ViolationException($"{diagnostic.Id} points outside the text");
                if (diagnostic.Message.Length > 4000) throw new ViolationException($"{diagnostic.Id} has a message of more than 4000 characters");
            }
    }

    /// <summary>Formatted text reads as what it was formatted from, and formats to itself.</summary>
    private static void Format(SourceText source)
    {
        var once = Formatter.Format(source);
        if (!once.Succeeded)
        {
            if (once.Text != source.Text) throw new ViolationException("a text with errors was formatted");
            return;
        }

        var text = SourceText.From(source.Path, once.Text);
        var twice = Formatter.Format(text);
        if (!twice.Succeeded) throw new ViolationException("formatting made errors");
        if (twice.Text != once.Text) throw new ViolationException("formatting formatted text changes it");
        if (SyntaxShape.Of(DsmSyntax.Parse(source).Tree) != SyntaxShape.Of(DsmSyntax.Parse(text).Tree)) throw new ViolationException("formatting changed what the text says");
    }

    private static string Compile(ModelSpec model, BoundProgram program, int salt)
    {
        if (model.Layers.Count > MostLayersCompiled) return " large";
        var precision = (salt % 3) switch { 0 => BuiltInPrecision.Fp8, 1 => CompileDefaults.Precision(program), _ => BuiltInPrecision.ByName("fp32")! };
        var limits = CompileDefaults.Limits(model, Math.Min(256, model.Context), Math.Min(64, model.Context));
        var result = ModelCompiler.Compile(model, precision, new CompileOptions(CompileDefaults.Target(precision), limits));
        if (result.Plan is not { } plan)
        {
            if (result.Diagnostics.IsEmpty) throw new ViolationException("no plan, and no reason");
            return " refused: " + string.Join(' ', result.Diagnostics.Select(d => d.Id));
        }

        HostCodeGenerator.Generate(plan);
        PlanJson.Write(plan);
        if (salt % 8 == 0)
            foreach (var kernel in plan.Kernels) kernel.Emit(plan.Target).ToText();
        return $" planned {plan.Kernels.Count}";
    }
}
