using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Bound blocks to <see cref="TrainSpec"/>.</summary>
internal static class TrainBuilder
{
    public static TrainSpec Build(string name, BoundBlock block, ModelSpec model, PrecisionSpec precision, ClusterSpec cluster) => new(
        name,
        model,
        precision,
        cluster,
        block.Block("parallel") is { } p
            ? new ParallelSpec(p.Int("pipeline"), p.Int("expert"), p.Int("tensor"), Sharding(p.Word("data")), p.Origin)
            : new ParallelSpec(1, 1, 1, DataSharding.Zero1, Origin.None),
        block.Block("schedule") is { } s
            ? new ScheduleSpec(s.Kind!, s.Int("comm_sms"), s.Int("micro_batch_size"), s.Has("micro_batches") ? s.Int("micro_batches") : null, s.Origin)
            : new ScheduleSpec("1f1b", 0, 1, null, Origin.None),
        Data(block.Block("data")!),
        Batch(block.Find("batch")!),
        Optimizer(block.Call("optimizer")),
        block.Block("rate")!.Steps.Select(Phase).ToEquatable(),
        Values(block.Block("mtp_weight")),
        Values(block.Block("balance_rate")),
        block.TryCall("ema")?.Number("decay"),
        EquatableArray<ExtendStage>.Empty,
        block.Origin);

    /// <summary>A run that is continued by stages.</summary>
    public static TrainSpec Extend(string name, BoundBlock block, TrainSpec run) => run with
    {
        Name = name,
        Origin = block.Origin,
        Extensions = run.Extensions.Concat(block.BlocksNamed("stage").Select(s =>
            new ExtendStage(s.Int("sequence"), s.Int("batch"), s.Int("steps"), s.Number("rate"), s.Origin))).ToEquatable(),
    };

    private static DataSharding Sharding(string word) => word switch
    {
        "zero1" => DataSharding.Zero1,
        "zero2" => DataSharding.Zero2,
        "zero3" => DataSharding.Zero3,
        _ => DataSharding.Replicated,
    };

    private static DataSpec Data(BoundBlock block) => new(
        block.Number("tokens"), block.Int("sequence"), block.Word("packing"), block.TryCall("fim")?.Number("rate"), block.Origin);

    private static BatchSpec Batch(BoundValue value) => value switch
    {
        BoundCall ramp => new BatchSpec(ramp.Int("from"), ramp.Int("to"), ramp.Number("over"), new Origin(ramp.Span)),
        BoundNumber number => new BatchSpec((int)number.Value, (int)number.Value, 0, new Origin(number.Span)),
        _ => throw new InvalidOperationException($"no batch in {value}"),
    };

    private static OptimizerSpec Optimizer(BoundCall call) => new(
        call.Name, call.Number("beta1"), call.Number("beta2"), call.Number("epsilon"), call.Number("weight_decay"),
        call.Has("clip") ? call.Number("clip") : null, new Origin(call.Span));

    private static RatePhase Phase(BoundCall step)
    {
        var kind = step.Name switch { "warmup" => RateKind.Warmup, "cosine" => RateKind.Cosine, _ => RateKind.Hold };
        var over = step.Arguments.TryGetValue("over", out var value) ? (BoundNumber)value : null;
        return new RatePhase(
            kind,
            step.Has("to") ? step.Number("to") : step.Has("at") ? step.Number("at") : null,
            over?.Dimension == Dimension.Step ? over.Value : null,
            over?.Dimension == Dimension.Token ? over.Value : null,
            step.Has("until") ? step.Number("until") : null,
            new Origin(step.Span));
    }

    private static EquatableArray<StepValue> Values(BoundBlock? block) => block is null
        ? EquatableArray<StepValue>.Empty
        : block.Steps.Select(s => new StepValue(s.Number("value"), s.Number("from"), new Origin(s.Span))).ToEquatable();
}
