using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>The last sum, the final norm and the output head; of the wanted rows only, unless all of them are to be looked at.</summary>
internal static class HeadLowering
{
    public static void Lower(LoweringContext context, WeightNames weights, Value stream, Value? pending)
    {
        var cut = !context.IsDecode && !context.Options.Taps;
        if (cut)
        {
            stream = Tail(context, stream);
            pending = pending is null ? null : Tail(context, pending);
        }

        if (pending is not null)
        {
            stream = context.Add(stream, pending);
            context.Tap($"hidden.{context.Model.Layers.Count}", stream);
        }

        var normalised = context.RmsNorm(stream, weights.FinalNorm, context.Model.NormEpsilon);
        context.Tap("hidden.norm", normalised);
        if (!cut && !context.IsDecode) normalised = Tail(context, normalised);
        context.Graph.Output(StepOutput.Logits, context.Linear(normalised, weights.Head, ModelPart.OutputHead));
    }

    private static Value Tail(LoweringContext context, Value value)
    {
        var tail = context.New(Dim.LogitRows, value.Type.Width);
        context.Graph.Add(new TailRowsOp(value, tail));
        return tail;
    }
}
