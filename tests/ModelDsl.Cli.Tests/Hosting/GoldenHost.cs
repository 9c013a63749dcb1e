using ModelDsl.Cli.Hosting;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;
using StoredTensor = ModelDsl.Testing.StoredTensor;

namespace ModelDsl.Cli.Tests.Hosting;

/// <summary>A golden model on the tests' device: the whole house, from config.json to a generated class with its weights.</summary>
internal sealed class GoldenHost : IDisposable
{
    private readonly GoldenModel _golden;
    private readonly IDevice _device;
    private readonly string _folder = Directory.CreateTempSubdirectory("dsm").FullName;
    private readonly bool _taps;

    /// <param name="checkpoint">The checkpoint's folder; null: the model's own.</param>
    /// <param name="sequences">How many sequences decode together.</param>
    /// <param name="draftTokens">Guesses per step.</param>
    /// <param name="checks">What the device looks for.</param>
    public GoldenHost(
        GoldenModel golden, string precision, string? checkpoint = null, bool taps = false, int sequences = 1, int draftTokens = 0,
        VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        _device = TestDevice.Open(new VirtualDeviceOptions { Checks = checks });
        (_golden, _taps) = (golden, taps);
        checkpoint ??= golden.Checkpoint;
        var model = Import(Path.Combine(checkpoint, "config.json"));
        var limits = Request(0, newTokens: 32).LimitsFor(model) with { DecodeSequences = sequences };
        var compiled = ModelCompiler.Compile(model, BuiltInPrecision.ByName(precision)!, new CompileOptions(PtxTarget.Sm90a, limits, taps, draftTokens));
        Assert.Empty(compiled.Diagnostics);
        using var stored = Checkpoint.Open(checkpoint);
        Model = ModelHost.Load(compiled.Plan!, _device, stored, new ModelOptions(CacheTokens: sequences * (limits.Context + limits.Page)));
    }

    public CausalLanguageModel Model { get; }

    public IReadOnlyList<Finding> Findings => (_device as VirtualDevice)?.Findings ?? [];

    /// <summary>Plays one row of the golden's tokens.</summary>
    /// <param name="change">What differs from working through the prompt at once.</param>
    public GoldenRun Play(int row, int newTokens = 0, Func<RunRequest, RunRequest>? change = null)
    {
        var request = Request(row, newTokens);
        if (change is not null) request = change(request);
        var result = ModelRun.Play(Model, request);
        var logits = Safetensors.Load(request.LogitsFile!);
        return new GoldenRun(
            result,
            logits["logits"].Floats(),
            newTokens > 1 ? logits["generated.logits"].Floats()[^Model.Layout.Vocabulary..] : [],
            logits.TryGetValue("mtp.logits", out var drafts) ? drafts.Floats() : [],
            _taps ? Safetensors.Load(request.DumpFile!) : []);
    }

    public void Dispose()
    {
        Model.Dispose();
        _device.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private RunRequest Request(int row, int newTokens) => new(
        GoldenRun.Row(_golden.Tensors["input_ids"], row), newTokens, Sampling.Greedy, [],
        LogitsFile: Path.Combine(_folder, "logits"), DumpFile: _taps ? Path.Combine(_folder, "dump") : null);

    private static ModelSpec Import(string config)
    {
        var imported = ConfigImporter.Import(SourceText.FromBytes("config.json", File.ReadAllBytes(config)), "golden");
        Assert.Empty(imported.Diagnostics.Where(found => found.IsError));
        var bound = FrontEnd.Bind(SourceText.From("golden.dsm", imported.Text!));
        Assert.False(bound.HasErrors);
        return bound.Models[0];
    }
}

/// <summary>What one row gave.</summary>
/// <param name="Logits">[T, vocabulary]</param>
/// <param name="LastLogits">[vocabulary], those that the last new token was chosen from.</param>
/// <param name="MtpLogits">[T - 1, vocabulary], of the MTP module where it drafts.</param>
internal sealed record GoldenRun(
    RunResult Result, float[] Logits, float[] LastLogits, float[] MtpLogits, IReadOnlyDictionary<string, StoredTensor> Taps)
{
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
}
