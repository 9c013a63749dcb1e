using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Training.Evaluation;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>Steps of training, as a host would play them: the graph of a sequence for every sequence, then that of the optimizer.</summary>
internal sealed class TrainingRun(ModelSpec model, Dictionary<string, Tensor> weights, OptimizerSpec optimizer)
{
    private readonly ModelGraph _training = DifferentiateTests.Differentiated(model);
    private readonly Dictionary<(WeightState, string), Tensor> _state = weights.ToDictionary(entry => (WeightState.Master, entry.Key), entry => entry.Value);
    private int _step;

    public Dictionary<string, Tensor> Weights => weights;

    public (double Loss, double Norm) Step(IReadOnlyList<double[]> sequences, double mtp, double rate, double biasRate)
    {
        foreach (var key in _state.Keys.Where(key => key.Item1 is WeightState.Gradient or WeightState.Load).ToList()) _state.Remove(key);
        var loss = 0.0;
        foreach (var ids in sequences)
        {
            var inputs = Example.Step(ids, [.. ids[1..], -1], sequences.Count * (ids.Length - 1), mtp, sequences.Count);
            loss += Run(_training, inputs).Number(_training, StepOutput.Loss);
        }

        var graph = OptimizerLowering.Lower(_training, optimizer, StateSpec.Default).Verified("lower");
        var numbers = new Dictionary<StepInput, Tensor>
        {
            [StepInput.Ids] = new(1), [StepInput.Rate] = Tensor.Number(rate),
            [StepInput.StepNumber] = Tensor.Number(++_step), [StepInput.BiasRate] = Tensor.Number(biasRate),
        };
        return (loss, Run(graph, numbers).Number(graph, StepOutput.GradientNorm));
    }

    private GraphEvaluator Run(ModelGraph graph, Dictionary<StepInput, Tensor> inputs)
    {
        var evaluator = new Example(model, graph, weights, inputs).Evaluator();
        foreach (var (key, value) in _state) evaluator.State[key] = value;
        evaluator.Run(graph.Ops);
        foreach (var (key, value) in evaluator.State) _state[key] = value;
        return evaluator;
    }
}
