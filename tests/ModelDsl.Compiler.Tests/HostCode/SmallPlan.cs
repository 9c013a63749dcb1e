using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Tests.HostCode;

/// <summary>A plan of four layers made by hand: few launches, but every kind of argument and of repetition.</summary>
internal static class SmallPlan
{
    private static readonly TestKernel Embed = new("embed", ["ids", "table", "out"], new LaunchGeometry(Dim.Tokens, 64));
    private static readonly TestKernel Norm = new("norm", ["x", "weight", "out", "tokens"], new LaunchGeometry(Dim.Tokens, 128));
    private static readonly TestKernel Gemm =
        new("gemm", ["a", "w", "scales", "c", "rows"], new LaunchGeometry(Dim.CeilDiv(Dim.Tokens, 16), 2, 1, 256, 65_536));
    private static readonly TestKernel Attend =
        new("attend", ["x", "cache", "pages", "cos", "sin", "out", "context"], new LaunchGeometry(Dim.Tokens * 4, 128));
    private static readonly TestKernel Experts =
        new("experts", ["a", "w", "c", "rows"], new LaunchGeometry(Dim.Min(Dim.Tokens * 2, Dim.CeilDiv(Dim.Tokens * 2, 16) + 3), 128));
    private static readonly TestKernel Argmax = new("argmax", ["logits", "valid", "out", "rows"], new LaunchGeometry(Dim.LogitRows, 128));
    private static readonly TestKernel TopP =
        new("top_p", ["logits", "uniform", "temperature", "top_p", "valid", "out", "rows"], new LaunchGeometry(Dim.LogitRows, 128));

    public static ModelPlan Create(bool taps = false)
    {
        var attention = new MlaSpec(4, 16, 32, 8, 8, 8, new RopeSpec(10_000, null, Origin.None), Origin.None);
        var dense = new LayerSpec(new DenseSpec(96, Origin.None), Origin.None);
        var moe = new LayerSpec(
            new MoeSpec(
                3, 0, 2, 24, new GateSpec(ScoreFunction.Sigmoid, 1, true, Origin.None), null, BalanceSpec.None, Origin.None), Origin.None);
        var model = new ModelSpec("small-v3", 100, 64, 1e-6, 0.02, attention, [dense, moe, moe, moe], 0, 512, Origin.None);
        var greedy = Launch(Argmax, null, To(StepOutput.Logits), From(StepInput.Valid), To(StepOutput.Sampled), Size(Dim.LogitRows));
        var nucleus = Launch(
            TopP, null, To(StepOutput.Logits), From(StepInput.Uniform), From(StepInput.Temperature),
            From(StepInput.TopP), From(StepInput.Valid), To(StepOutput.Sampled), Size(Dim.LogitRows));
        return new ModelPlan(
            model,
            BuiltInPrecision.Bf16,
            PtxTarget.Sm80,
            new PlanLimits(128, 4, 512),
            Steps(Phase.Prefill, taps),
            Steps(Phase.Decode, taps: false),
            new PhasePlan(Phase.Greedy, [greedy], 0, []),
            new PhasePlan(Phase.Nucleus, [nucleus], 0, []),
            [
                Matrix("embed", DType.BF16, 100, 64, "model.embed_tokens.weight"),
                .. Enumerable.Range(0, 4).SelectMany(Weights),
                Vector("norm", 64, "model.norm.weight"),
            ],
            ["model.layers.4."],
            new CachePlan(4, 40, DType.BF16, 64),
            new RopeTable([1f, 0.1f, 0.01f, 0.001f], 1f, 512));
    }

    private static PhasePlan Steps(Phase phase, bool taps)
    {
        var steps = new List<LaunchStep>
        {
            Launch(Embed, null, From(StepInput.Ids), Weight("embed"), At(0)),
        };
        for (var layer = 0; layer < 4; layer++)
        {
            // Layers write where the one before them did not, as a memory plan makes them.
            var (from, to) = layer % 2 == 0 ? (0, 16_384) : (16_384, 0);
            if (taps) (from, to) = (layer * 16_384, (layer + 1) * 16_384);
            steps.Add(Launch(Norm, layer, At(from), Weight($"layers.{layer}.input_norm"), At(90_000), Size(Dim.Tokens)));
            steps.Add(Launch(
                Attend, layer, At(90_000), new CacheArgument(layer), From(StepInput.Pages),
                Table(PlanTable.Cos), Table(PlanTable.Sin), At(106_384), Size(Dim.Context)));
            steps.Add(layer == 0
                ? Launch(
                    Gemm, layer, At(106_384), Weight("layers.0.mlp.down"), Weight("layers.0.mlp.down", WeightArea.Scales),
                    At(to), Size(Dim.Tokens))
                : Launch(
                    Experts, layer, At(106_384), Weight($"layers.{layer}.experts.gate_up", offset: 256), At(to), Size(Dim.Tokens * 2)));
        }
        var tail = phase == Phase.Prefill ? (Dim.Tokens - Dim.LogitRows) * 128 : null;
        steps.Add(Launch(Norm, null, At(0, tail), Weight("norm"), To(StepOutput.Logits), Size(Dim.LogitRows)));
        EquatableArray<PlanTap> kept = taps
            ? [new PlanTap("hidden.1", At(16_384), DType.BF16, [Dim.Tokens, 64]), new PlanTap("router.1.indices", At(0), DType.I32, [Dim.Tokens, 2])]
            : [];
        return new PhasePlan(phase, [.. steps], 122_768, kept);
    }

    private static WorkspaceArgument At(long offset, Dim? extra = null) => new(offset, extra);

    private static WeightArgument Weight(string key, WeightArea area = WeightArea.Values, long offset = 0) => new(key, area, offset);

    private static InputArgument From(StepInput input) => new(input);

    private static OutputArgument To(StepOutput output) => new(output);

    private static TableArgument Table(PlanTable table) => new(table);

    private static DimArgument Size(Dim size) => new(size);

    private static LaunchStep Launch(Kernel kernel, int? layer, params PlanArgument[] arguments)
    {
        var weight = arguments.OfType<WeightArgument>().Select(argument => $" w\"{argument.Key}\"").FirstOrDefault();
        return new LaunchStep(kernel, kernel.Geometry, [.. arguments], layer, $"{kernel.Name}{weight}", Origin.None);
    }

    private static IEnumerable<WeightTensor> Weights(int layer)
    {
        yield return Vector($"layers.{layer}.input_norm", 64, $"model.layers.{layer}.input_layernorm.weight");
        if (layer == 0)
            yield return new WeightTensor(
                "layers.0.mlp.down", DType.E4M3, 1, 200, 64, new BlockScales(128, 128),
                [
                    new WeightSource("model.layers.0.mlp.gate_proj.weight", [100, 64], 0, 0),
                    new WeightSource("model.layers.0.mlp.up_proj.weight", [100, 64], 100, 1),
                ]);
        else
            yield return new WeightTensor(
                $"layers.{layer}.experts.gate_up", DType.BF16, 3, 48, 64, null,
                [.. Enumerable.Range(0, 3).SelectMany(expert => new[]
                {
                    new WeightSource($"model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight", [24, 64], 48 * expert, 0),
                    new WeightSource($"model.layers.{layer}.mlp.experts.{expert}.up_proj.weight", [24, 64], 48 * expert + 24, 0),
                })]);
    }

    private static WeightTensor Matrix(string key, DType type, int rows, int columns, string name) =>
        new(key, type, 1, rows, columns, null, [new WeightSource(name, [rows, columns], 0, 0)]);

    private static WeightTensor Vector(string key, int length, string name) =>
        new(key, DType.F32, 1, 1, length, null, [new WeightSource(name, [length], 0, 0)]);

    private sealed record TestKernel(string Id, string[] ParameterNames, LaunchGeometry Launched) : Kernel
    {
        public override string Name => Id;

        public override ImmutableArray<KernelParameter> Parameters =>
            [.. ParameterNames.Select(name => KernelParameter.In(name, DType.F32))];

        public override LaunchGeometry Geometry => Launched;

        protected override void Write(KernelBuilder k)
        {
            foreach (var name in ParameterNames) k.U64Param(name);
            if (Launched.SharedBytes > 0) k.DynamicShared<U8>(Launched.SharedBytes);
        }
    }
}
