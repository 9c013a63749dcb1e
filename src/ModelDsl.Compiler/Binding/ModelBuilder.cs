using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding;

/// <summary>Bound block to <see cref="ModelSpec"/>. Only called for blocks without errors, so nothing is missing here.</summary>
internal static class ModelBuilder
{
    private const int DefaultContext = 4096;

    public static ModelSpec Build(string name, BoundBlock model)
    {
        var attention = Attention(model.Block("attention")!);
        var mtp = model.Block("mtp");
        return new ModelSpec(
            name,
            model.Int("vocabulary"),
            model.Int("hidden"),
            model.Call("norm").Number("epsilon"),
            model.Call("init").Number("std"),
            attention,
            Layers(model),
            mtp?.Int("depth") ?? 0,
            model.Has("context") ? model.Int("context") : Context(attention.Rope.Yarn),
            model.Origin);
    }

    private static int Context(YarnSpec? yarn) =>
        yarn is null ? DefaultContext : (int)Math.Min(int.MaxValue, Math.Round(yarn.Factor * yarn.OriginalTokens));

    private static MlaSpec Attention(BoundBlock block) => new(
        block.Int("heads"),
        block.Has("q_rank") ? block.Int("q_rank") : null,
        block.Int("kv_rank"),
        block.Int("nope_dim"),
        block.Int("rope_dim"),
        block.Int("v_dim"),
        Rope(block.Block("rope")),
        block.Origin);

    private static RopeSpec Rope(BoundBlock? block)
    {
        if (block is null) return new RopeSpec(10000, null, Origin.None);
        var yarn = block.TryCall("yarn") is { } call
            ? new YarnSpec(call.Number("factor"), call.Int("original"), call.Number("beta_fast"), call.Number("beta_slow"),
                call.Number("mscale"), call.Number("mscale_all_dim"), new Origin(call.Span))
            : null;
        return new RopeSpec(block.Number("theta"), yarn, block.Origin);
    }

    private static EquatableArray<LayerSpec> Layers(BoundBlock model)
    {
        var layers = new SortedDictionary<long, LayerSpec>();
        foreach (var run in model.BlocksNamed("layers"))
        {
            FeedForwardSpec feedForward = run.Block("dense") is { } dense
                ? new DenseSpec(dense.Int("width"), dense.Origin)
                : Moe(run.Block("moe")!);
            var layer = new LayerSpec(feedForward, run.Origin);
            for (var i = run.Range!.Value.First; i <= run.Range.Value.Last; i++) layers[i] = layer;
        }
        return layers.Values.ToEquatable();
    }

    private static MoeSpec Moe(BoundBlock block)
    {
        var gate = block.Call("gate");
        var score = gate.Name == "sigmoid" ? ScoreFunction.Sigmoid : ScoreFunction.Softmax;
        return new MoeSpec(
            block.Int("routed"),
            block.Int("shared"),
            block.Int("active"),
            block.Int("width"),
            new GateSpec(score, gate.Number("scale"), gate.Flag("normalize"), new Origin(gate.Span)),
            block.TryCall("groups") is { } groups
                ? new GroupSpec(groups.Int("kept"), groups.Int("of"), By(groups, score), new Origin(groups.Span))
                : null,
            Balance(block.Block("balance")),
            block.Origin);
    }

    public static GroupScore By(BoundCall groups, ScoreFunction score)
    {
        if (groups.Has("by")) return groups.Word("by") == "max" ? GroupScore.Max : GroupScore.TopTwoSum;
        return score == ScoreFunction.Sigmoid ? GroupScore.TopTwoSum : GroupScore.Max;
    }

    private static BalanceSpec Balance(BoundBlock? block) => block is null
        ? BalanceSpec.None
        : new BalanceSpec(block.TryCall("bias")?.Number("step"), block.TryCall("sequence")?.Number("weight"), block.Origin);
}
