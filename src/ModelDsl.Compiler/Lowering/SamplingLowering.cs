using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>One id for each row of logits.</summary>
public static class SamplingLowering
{
    /// <param name="phase"><see cref="Phase.Greedy"/> or <see cref="Phase.Nucleus"/>.</param>
    public static ModelGraph Lower(ModelSpec model, Phase phase)
    {
        var graph = new GraphBuilder(phase) { Origin = model.Origin };
        var logits = new LogitsValue(new TensorType(DType.F32, Dim.LogitRows, model.Vocabulary));
        var valid = new InputValue(StepInput.Valid, new TensorType(DType.I32));
        var ids = graph.New(new TensorType(DType.I32, Dim.LogitRows));
        graph.Add(phase == Phase.Greedy
            ? new ArgmaxOp(logits, valid, ids)
            : new TopPOp(
                logits,
                new InputValue(StepInput.Uniform, new TensorType(DType.F32, Dim.LogitRows)),
                new InputValue(StepInput.Temperature, new TensorType(DType.F32)),
                new InputValue(StepInput.TopP, new TensorType(DType.F32)),
                valid,
                ids));
        graph.Output(StepOutput.Sampled, ids);
        return graph.Build();
    }
}
