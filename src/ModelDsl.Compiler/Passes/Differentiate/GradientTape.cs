using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate;

/// <summary>
/// The backward pass while it is written. Within a layer, all of the input half stands before the weight half: that is the order in
/// which the layer before can start soonest.
/// </summary>
internal sealed class GradientTape
{
    private readonly GraphBuilder _builder;
    private readonly Dictionary<int, Op> _makers = [];
    private readonly Dictionary<int, Value> _gradients = [];
    private readonly Dictionary<string, Value> _sums = new(StringComparer.Ordinal);
    private readonly List<Op> _weightHalf = [];

    public GradientTape(ModelGraph forward)
    {
        _builder = new GraphBuilder(forward.Phase, forward.NextId) { Work = Work.InputGradient };
        foreach (var op in forward.Ops)
        {
            _builder.Keep(op);
            foreach (var result in op.Results) _makers.Add(((Temporary)result).Id, op);
        }

        foreach (var output in forward.Outputs) _builder.Output(output.Output, output.Value);
        foreach (var tap in forward.Taps) _builder.Tap(tap.Name, tap.Value);
    }

    /// <summary>What is added from now on belongs to this op of the forward pass.</summary>
    public void MoveTo(Op op)
    {
        if (op.Layer != _builder.Layer) Flush();
        _builder.Layer = op.Layer;
        _builder.Origin = op.Origin;
    }

    /// <summary>The gradient of a value that was made; null: the loss does not depend on it.</summary>
    public Value? Of(Value value) => _gradients.TryGetValue(((Temporary)value).Id, out var gradient) ? gradient : null;

    /// <summary>The op of the forward pass that made a value.</summary>
    public T Maker<T>(Value value)
        where T : Op => (T)_makers[((Temporary)value).Id];

    /// <summary>A gradient of the value's type, yet to be made.</summary>
    public Temporary Like(Value value) => _builder.New(value.Type);

    /// <summary>Adds an op of the input half.</summary>
    public void Add(Op op) => _builder.Add(op);

    /// <summary>Adds an op of the input half that makes one gradient, and adds that to the value's.</summary>
    public void Give(Value value, Func<Value, Op> op)
    {
        var gradient = Like(value);
        Add(op(gradient));
        Give(value, gradient);
    }

    /// <summary>Adds to the gradient of a value.</summary>
    public void Give(Value value, Value gradient)
    {
        var id = ((Temporary)value).Id;
        if (!_gradients.TryGetValue(id, out var before))
        {
            _gradients.Add(id, gradient);
            return;
        }

        var sum = Like(value);
        Add(new AddOp(before, gradient, sum));
        _gradients[id] = sum;
    }

    /// <summary>Adds an op of the weight half that makes a weight's gradient, and adds that to the weight's sum.</summary>
    public void GiveWeight(Value weight, Func<Value, Op> op)
    {
        var tensor = ((WeightValue)weight).Weight;
        var type = weight.Type.As(DType.F32);
        var gradient = _builder.New(type);
        AddWeightHalf(op(gradient));
        if (!_sums.TryGetValue(tensor.Key, out var before)) before = new StateValue(tensor, WeightState.Gradient, type);
        var after = _builder.New(type);
        AddWeightHalf(new AccumulateGradientOp(before, gradient, after));
        _sums[tensor.Key] = after;
    }

    public ModelGraph Build()
    {
        Flush();
        return DeadOps.Removed(_builder.Build());
    }

    private void AddWeightHalf(Op op) =>
        _weightHalf.Add(op with { Layer = _builder.Layer, Origin = _builder.Origin, Work = Work.WeightGradient });

    private void Flush()
    {
        foreach (var op in _weightHalf) _builder.Keep(op);
        _weightHalf.Clear();
    }
}
