using ModelDsl.Cli.Hosting;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;
using StoredTensor = ModelDsl.Testing.StoredTensor;

namespace ModelDsl.Cli.Tests.Hosting;

/// <summary>One row of a golden model's tokens through the whole house: config.json to logits on the virtual GPU.</summary>
internal sealed class GoldenRun : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsm").FullName;

    /// <param name="checkpoint">The checkpoint's folder; null: the model's own.</param>
    /// <param name="change">What differs from working through the prompt at once.</param>
    public GoldenRun(
        GoldenModel golden, string precision, int row, int newTokens = 0, string? checkpoint = null, Func<RunRequest, RunRequest>? change = null, bool taps = false)
    {
        checkpoint ??= golden.Checkpoint;
        var model = Import(Path.Combine(checkpoint, "config.json"));
        var ids = Row(golden.Tensors["input_ids"], row);
        var request = new RunRequest(ids, newTokens, Sampling.Greedy, [], LogitsFile: Path.Combine(_folder, "logits"), DumpFile: taps ? Path.Combine(_folder, "dump") : null);
        if (change is not null) request = change(request);
        var compiled = ModelCompiler.Compile(
            model, BuiltInPrecision.ByName(precision)!, new CompileOptions(PtxTarget.Sm90a, request.LimitsFor(model), taps));
        Assert.Empty(compiled.Diagnostics);

        using var device = new VirtualDevice();
        using var stored = Checkpoint.Open(checkpoint);
        using var loaded = ModelHost.Load(compiled.Plan!, device, stored);
        Result = ModelRun.Play(loaded, request);
        var logits = Safetensors.Load(request.LogitsFile!);
        Logits = logits["logits"].Floats();
        LastLogits = newTokens > 1 ? logits["generated.logits"].Floats()[^model.Vocabulary..] : [];
        if (taps) Taps = Safetensors.Load(request.DumpFile!);
    }

    public RunResult Result { get; }

    /// <summary>[T, vocabulary]</summary>
    public float[] Logits { get; }

    /// <summary>[vocabulary], those that the last new token was chosen from.</summary>
    public float[] LastLogits { get; }

    public IReadOnlyDictionary<string, StoredTensor> Taps { get; } = new Dictionary<string, StoredTensor>();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>One row of an integer tensor [B, ..].</summary>
    public static int[] Row(StoredTensor tensor, int row)
    {
        var width = tensor.Shape.Skip(1).Aggregate(1, (product, size) => product * size);
        return tensor.Ints()[(row * width)..((row + 1) * width)];
    }

    /// <summary>One row of a floating-point tensor [B, ..].</summary>
    public static float[] FloatRow(StoredTensor tensor, int row)
    {
        var width = tensor.Shape.Skip(1).Aggregate(1, (product, size) => product * size);
        return tensor.Floats()[(row * width)..((row + 1) * width)];
    }

    private static ModelSpec Import(string config)
    {
        var imported = ConfigImporter.Import(SourceText.FromBytes("config.json", File.ReadAllBytes(config)), "golden");
        Assert.Empty(imported.Diagnostics.Where(found => found.IsError));
        var bound = FrontEnd.Bind(SourceText.From("golden.dsm", imported.Text!));
        Assert.False(bound.HasErrors);
        return bound.Models[0];
    }
}
