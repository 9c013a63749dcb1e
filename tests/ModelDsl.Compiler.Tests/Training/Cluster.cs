using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Training.Evaluation;
using ModelDsl.Compiler.Training;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>A step of training on as many ranks as a layout says, each with its part of the weights and of the tokens.</summary>
internal sealed class Cluster
{
    private readonly ParallelLayout _layout;
    private readonly ModelSpec _model;
    private readonly IReadOnlyList<double[]> _sequences;
    private readonly List<TrainingGraph> _stages = [];
    private readonly List<ClusterEvaluator> _evaluators = [];
    private readonly Dictionary<string, Tensor> _mail = [];
    private readonly Dictionary<string, WeightTensor> _weights;
    private readonly List<Dictionary<string, Tensor>[]> _parts = [];

    /// <param name="sequences">One for each pipeline; a multiple of the tensor ranks long.</param>
    public Cluster(ModelSpec model, PrecisionSpec precision, ParallelLayout layout, Dictionary<string, Tensor> weights, IReadOnlyList<double[]> sequences)
    {
        (_layout, _model, _sequences) = (layout, model, sequences);
        _weights = TrainingLowering.Lower(model, 64).Weights.ToDictionary(entry => entry.Weight.Key, entry => entry.Weight);
        for (var stage = 0; stage < layout.Stages; stage++)
        {
            _stages.Add(TrainingGraph.OfStage(model, precision, 64, layout with { Stage = stage }));
            var partner = layout.IsFolded ? layout.Stages - 1 - stage : stage;
            if (partner < stage) _parts.Add(_parts[partner]);
            else _parts.Add([.. Enumerable.Range(0, Ranks).Select(rank => weights.ToDictionary(entry => entry.Key, entry => Part(entry.Key, entry.Value, rank)))]);
            _evaluators.Add(Evaluators(_stages[stage].Graph, stage, Inputs, rank => partner < stage ? _evaluators[partner].Ranks[rank].State : []));
        }
    }

    /// <summary>What every rank keeps of the running means of its weights, after the optimizer.</summary>
    public List<(string Key, Tensor Part)> Averages { get; private set; } = [];

    private int Ranks => _layout.Data * _layout.Tensor;

    /// <summary>Forward from the first stage to the last, backward the other way, weights last of all.</summary>
    public double Run()
    {
        var loss = 0.0;
        for (var stage = 0; stage < _layout.Stages; stage++) _evaluators[stage].Run(_stages[stage].Ops(Work.Forward));
        for (var stage = _layout.Stages - 1; stage >= 0; stage--) _evaluators[stage].Run(_stages[stage].Ops(Work.InputGradient));
        for (var stage = 0; stage < _layout.Stages; stage++)
        {
            var graph = _stages[stage].Graph;
            _evaluators[stage].Run(_stages[stage].Ops(Work.WeightGradient));
            if (graph.Outputs.Any(output => output.Output == StepOutput.Loss))
                loss += _evaluators[stage].Ranks.Sum(rank => rank.Number(graph, StepOutput.Loss));
        }

        return loss;
    }

    /// <summary>The whole gradient of a weight, from the parts and shares of all ranks.</summary>
    public Tensor Gradient(string key)
    {
        var sum = new Tensor([.. _weights[key].TensorType.Shape.Select(size => (int)size.Constant!.Value)]);
        // Stages on one rank have one state.
        for (var rank = 0; rank < Ranks; rank++)
            foreach (var state in _evaluators.Select(stage => stage.Ranks[rank].State).Distinct())
                if (state.TryGetValue((WeightState.Gradient, key), out var part))
                    AddPart(key, sum, part, rank);
        return sum;
    }

    /// <summary>The optimizer of all stages, meeting where they depend on each other; the norm as each stage knows it.</summary>
    public List<double> Optimize(OptimizerSpec optimizer, double rate, double biasRate)
    {
        var graphs = _stages.Select((stage, i) => stage.Optimizer(optimizer, _layout with { Stage = i }, averageDecay: 0.75)).ToList();
        var numbers = new Dictionary<StepInput, Tensor>
        {
            [StepInput.Rate] = Tensor.Number(rate), [StepInput.StepNumber] = Tensor.Number(1), [StepInput.BiasRate] = Tensor.Number(biasRate),
        };
        var evaluators = graphs.Select((graph, stage) => Evaluators(graph, stage, _ => numbers, _ => [])).ToList();
        for (var stage = 0; stage < graphs.Count; stage++)
            for (var rank = 0; rank < Ranks; rank++)
                Prepare(graphs[stage], evaluators[stage].Ranks[rank], stage, rank);
        Meet(evaluators, graphs);
        Averages = [.. evaluators.SelectMany(stage => stage.Ranks).SelectMany(rank => rank.State.Where(entry => entry.Key.State == WeightState.Average))
            .Select(entry => (entry.Key.Key, entry.Value))];
        return [.. graphs.Select((graph, stage) => evaluators[stage].Ranks[0].Number(graph, StepOutput.GradientNorm))];
    }

    /// <summary>What a rank of a stage computes with, against its part of a whole weight.</summary>
    public void CheckWeights(Dictionary<string, Tensor> expected, double tolerance)
    {
        for (var stage = 0; stage < _layout.Stages; stage++)
            foreach (var key in _stages[stage].Graph.Weights.Select(entry => entry.Weight.Key))
                for (var rank = 0; rank < Ranks; rank++)
                    foreach (var (ours, known) in _parts[stage][rank][key].Data.Zip(Part(key, expected[key], rank).Data))
                        Assert.True(Math.Abs(ours - known) < tolerance, $"{key} of rank {rank}: {ours} is not {known}");
    }

    private ClusterEvaluator Evaluators(
        ModelGraph graph, int stage, Func<int, Dictionary<StepInput, Tensor>> inputs, Func<int, Dictionary<(WeightState, string), Tensor>> state) => new(
        [.. Enumerable.Range(0, Ranks).Select(rank => new Example(_model, graph, _parts[stage][rank], inputs(rank)).Evaluator(state(rank)))],
        _layout with { Stage = stage }, _mail);

    /// <summary>State as the step left it; master copies, whole or the rank's share, as the weights are before the first step.</summary>
    private void Prepare(ModelGraph graph, GraphEvaluator evaluator, int stage, int rank)
    {
        foreach (var (key, value) in _evaluators[stage].Ranks[rank].State) evaluator.State[key] = value;
        foreach (var state in graph.Ops.SelectMany(op => op.Operands).OfType<StateValue>().Where(state => state.State == WeightState.Master))
        {
            var part = _parts[stage][rank][state.Weight.Key];
            var size = (int)state.Type.Elements.Constant!.Value;
            var holders = _layout.Holders(_weights[state.Weight.Key]);
            var index = size == part.Data.Length ? 0 : holders.Axis switch
            {
                CommAxis.Data => rank / _layout.Tensor,
                CommAxis.ExpertReplica => rank / _layout.Expert,
                _ => rank,
            };
            var data = part.Data.Skip(index * size).Take(size).ToArray();
            Array.Resize(ref data, size);
            evaluator.State[(WeightState.Master, state.Weight.Key)] = new Tensor([.. state.Type.Shape.Select(length => (int)length.Constant!.Value)], data);
        }
    }

    private void Meet(List<ClusterEvaluator> evaluators, List<ModelGraph> graphs)
    {
        var runs = evaluators.Select((evaluator, stage) => evaluator.Steps(graphs[stage].Ops).GetEnumerator()).ToList();
        var waiting = runs.Select(run => run.MoveNext()).ToArray();
        while (waiting.Contains(true))
        {
            // Who waits for stages with the same weight meets those first; each rank its counterparts, in the world all of them.
            var ends = Enumerable.Range(0, runs.Count).Where(stage => waiting[stage] && runs[stage].Current.Group.Axis == CommAxis.Ends)
                .GroupBy(stage => ((StateValue)runs[stage].Current.X).Weight.Key).FirstOrDefault(stages => runs[stages.First()].Current.Group.Size == stages.Count());
            var meeting = ends?.ToList() ?? Enumerable.Range(0, runs.Count).ToList();
            var world = ends is null;
            Assert.All(meeting, stage => Assert.True(waiting[stage] && (runs[stage].Current.Group.Axis == CommAxis.World) == world));
            for (var rank = 0; rank < Ranks; rank++)
            {
                var met = meeting.SelectMany(stage => world ? evaluators[stage].Ranks.Select(other => other[runs[stage].Current.X]) : [evaluators[stage].Ranks[rank][runs[stage].Current.X]]);
                var sum = met.Aggregate((a, b) => a + b);
                foreach (var stage in meeting) evaluators[stage].Ranks[rank].Set(runs[stage].Current.Result, sum);
            }

            foreach (var stage in meeting) waiting[stage] = runs[stage].MoveNext();
        }
    }

    private Dictionary<StepInput, Tensor> Inputs(int rank)
    {
        var ids = _sequences[rank / _layout.Tensor];
        double[] labels = [.. ids[1..], -1];
        var rows = ids.Length / _layout.Tensor;
        var own = rank % _layout.Tensor * rows;
        var inputs = Example.Step(ids, labels, _sequences.Count * (ids.Length - 1), 0.3, _sequences.Count);
        inputs[StepInput.GroupPositions] = inputs[StepInput.Positions];
        inputs[StepInput.GroupLabels] = inputs[StepInput.Labels];
        foreach (var input in new[] { StepInput.Ids, StepInput.Labels, StepInput.Positions })
            inputs[input] = new Tensor([rows], inputs[input].Data[own..(own + rows)]);
        return inputs;
    }

    private Tensor Part(string key, Tensor whole, int rank)
    {
        var part = new Tensor(Shape(key, whole.Shape));
        var places = Places(key, whole, rank).ToArray();
        for (var i = 0; i < places.Length; i++) part.Data[i] = whole.Data[places[i]];
        return part;
    }

    private void AddPart(string key, Tensor whole, Tensor part, int rank)
    {
        var at = 0;
        foreach (var place in Places(key, whole, rank)) whole.Data[place] += part.Data[at++];
    }

    private int[] Shape(string key, int[] shape) => _weights[key] switch
    {
        { IsStacked: true } => [shape[0] / _layout.Expert, .. shape[1..]],
        var weight when ParallelLayout.IsByRows(weight) => [shape[0] / _layout.Tensor, shape[1]],
        var weight when ParallelLayout.IsByColumns(weight) => [shape[0], shape[1] / _layout.Tensor],
        _ => shape,
    };

    /// <summary>Where in the whole the elements of a rank's part are, in order.</summary>
    private IEnumerable<int> Places(string key, Tensor whole, int rank)
    {
        var (weight, length) = (_weights[key], whole.Data.Length);
        var (ranks, index) = weight.IsStacked ? (_layout.Expert, rank % _layout.Expert) : (_layout.Tensor, rank % _layout.Tensor);
        if (weight.IsStacked || ParallelLayout.IsByRows(weight)) return Enumerable.Range(index * (length / ranks), length / ranks);
        if (!ParallelLayout.IsByColumns(weight)) return Enumerable.Range(0, length);
        var width = whole.Width / ranks;
        return Enumerable.Range(0, length).Where(at => at % whole.Width / width == index);
    }
}
