using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

internal static class AttentionRules
{
    public static void Apply(RopeQueryOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient)
            tape.Give(op.Query, result => op with { Query = gradient, Result = result, Back = !op.Back });
    }

    public static void Apply(RopeKeyOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient) tape.Give(op.Key, result => op with { Key = gradient, Result = result, Back = !op.Back });
    }

    public static void Apply(MlaPrefillOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        if (op.Lse is null) throw new PassException("Attention leaves no lse for its gradient.", "Lower for training, not for inference.");
        var (query, kv, key) = (tape.Like(op.Query), tape.Like(op.Kv), tape.Like(op.Key));
        tape.Add(new MlaGradOp(op.Query, op.Kv, op.Key, op.Result, op.Lse, gradient, op.Mla, op.Scale, query, kv, key));
        tape.Give(op.Query, query);
        tape.Give(op.Kv, kv);
        tape.Give(op.Key, key);
    }
}
