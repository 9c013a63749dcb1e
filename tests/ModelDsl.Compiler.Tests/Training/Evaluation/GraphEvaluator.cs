using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Tests.Training.Evaluation;

/// <summary>Runs a training graph op by op in float64: what each op means, written down once more and without regard to speed.</summary>
internal sealed class GraphEvaluator(Dictionary<string, Tensor> weights, Dictionary<StepInput, Tensor> inputs, Tensor cos, Tensor sin)
{
    private readonly Dictionary<int, Tensor> _values = [];
    private readonly Dictionary<int, (WeightState State, string Key)> _places = [];

    /// <summary>State of weights after the ops that ran; absent counts as 0.</summary>
    public Dictionary<(WeightState State, string Key), Tensor> State { get; init; } = [];

    public Tensor this[Value value] => value switch
    {
        Temporary temporary => _values[temporary.Id],
        WeightValue weight => weights[weight.Weight.Key],
        StateValue state => State.TryGetValue((state.State, state.Weight.Key), out var known)
            ? known
            : new Tensor([.. state.Type.Shape.Select(size => (int)size.Constant!.Value)]),
        InputValue input => inputs[input.Input],
        TableValue table => table.Table == PlanTable.Cos ? cos : sin,
        _ => throw new InvalidOperationException($"{value} has no value."),
    };

    /// <summary>A value that came from elsewhere.</summary>
    public void Set(Value value, Tensor tensor) => _values[((Temporary)value).Id] = tensor;

    public void Run(IEnumerable<Op> ops)
    {
        foreach (var op in ops)
        {
            var results = Evaluate(op);
            Assert.Equal(op.Results.Length, results.Length);
            for (var i = 0; i < results.Length; i++) _values[((Temporary)op.Results[i]).Id] = results[i];
        }
    }

    public double Number(ModelGraph graph, StepOutput output) => this[graph.Outputs.Single(entry => entry.Output == output).Value].Data[0];

    private Tensor[] Evaluate(Op op) => op switch
    {
        EmbeddingOp e => [Rowwise.Embed(this[e.Ids], this[e.Table])],
        EmbeddingGradOp e => [Rowwise.EmbedTable(this[e.Ids], this[e.Gradient], (int)e.Result.Type.Rows.Constant!.Value)],
        AddOp a => [this[a.A] + this[a.B]],
        SumOp s => [Tensor.Number(s.Terms.Sum(term => this[term].Data[0]))],
        SplitColumnsOp s => Split(this[s.X], s.Left.Type.Width),
        ConcatColumnsOp c => [Concat(this[c.A], this[c.B])],
        ShiftRowsOp s => [new Tensor(this[s.X].Shape, [.. this[s.X].Data[1..], -1])],
        LinearOp l => [Products.Forward(this[l.X], this[l.Weight])],
        LinearGradOp l => [Products.Input(this[l.Gradient], this[l.Weight])],
        LinearWeightGradOp l => [Products.Weight(this[l.X], this[l.Gradient])],
        GroupedLinearOp g => [Products.Grouped(this[g.X], this[g.Weight], this[g.Offsets], Products.Forward, g.Result.Type.Width)],
        GroupedLinearGradOp g => [Products.Grouped(this[g.Gradient], this[g.Weight], this[g.Offsets], Products.Input, g.Result.Type.Width)],
        GroupedLinearWeightGradOp g => [Products.GroupedWeight(this[g.X], this[g.Gradient], this[g.Offsets])],
        RmsNormOp n => [Rowwise.RmsNorm(this[n.X], this[n.Weight], n.Epsilon)],
        RmsNormGradOp n => [Rowwise.RmsNormInput(this[n.X], this[n.Weight], this[n.Gradient], n.Epsilon)],
        RmsNormWeightGradOp n => [Rowwise.RmsNormWeight(this[n.X], this[n.Gradient], n.Epsilon)],
        SwiGluOp s => [Rowwise.SwiGlu(this[s.X], s.UpOffset, s.Result.Type.Width)],
        SwiGluGradOp s => [Rowwise.SwiGluInput(this[s.X], this[s.Gradient], s.UpOffset)],
        RopeQueryOp r => [Rowwise.Rotate(this[r.Query], this[r.Cos], this[r.Sin], this[r.Positions], r.Heads, r.NopeDim, r.RopeDim, r.Back)],
        RopeKeyOp r => [Rowwise.Rotate(this[r.Key], this[r.Cos], this[r.Sin], this[r.Positions], 1, 0, r.Key.Type.Width, r.Back)],
        MlaPrefillOp m => Pair(Attention.Forward(this[m.Query], this[m.Kv], this[m.Key], m.Mla, m.Scale)),
        MlaGradOp m => Triple(Attention.Backward(
            this[m.Query], this[m.Kv], this[m.Key], this[m.Output], this[m.Lse], this[m.Gradient], m.Mla, m.Scale)),
        ScoreOp s => [Routing.Scores(this[s.Logits], s.Function)],
        ScoreGradOp s => [Routing.ScoresInput(this[s.Scores], this[s.Gradient], s.Function)],
        SelectExpertsOp s => Pair(Routing.Select(this[s.Scores], s.Bias is null ? null : this[s.Bias], s.Moe)),
        SelectExpertsGradOp s => [Routing.SelectInput(this[s.Scores], this[s.Indices], this[s.Gradient], s.Moe)],
        DispatchOp d => Dispatched(Routing.Dispatch(this[d.Indices], d.Experts)),
        PermuteOp p => [Routing.Permute(this[p.X], this[p.Source])],
        UnpermuteOp u => [Routing.Unpermute(this[u.Y], this[u.RowOf])],
        SortGatesOp s => [Routing.SortGates(this[s.Weights], this[s.RowOf])],
        UnsortGatesOp u => [Routing.UnsortGates(this[u.X], this[u.RowOf])],
        ScaleRowsOp s => [Routing.ScaleRows(this[s.X], this[s.Factors])],
        ScaleRowsGradOp s => [Routing.ScaleRows(this[s.Gradient], this[s.Factors]), Routing.RowProducts(this[s.X], this[s.Gradient])],
        BalanceLossOp b =>
            [Tensor.Number(this[b.Weight].Data[0] / b.Ranks * Routing.Balance(this[b.Scores], Optional(b.Indices), b.Moe, b.Tail))],
        BalanceLossGradOp b =>
        [
            Routing.BalanceInput(
                this[b.Scores], Optional(b.Indices), this[b.Weight].Data[0] * this[b.Gradient].Data[0] / b.Ranks, b.Moe, b.Tail),
        ],
        CrossEntropyOp c => Pair(Rowwise.CrossEntropy(this[c.Logits], this[c.Labels], c.Factor * this[c.Weight].Data[0])),
        CrossEntropyGradOp c =>
        [
            Rowwise.CrossEntropyInput(
                this[c.Logits], this[c.Labels], this[c.Lse], c.Factor * this[c.Weight].Data[0] * this[c.Gradient].Data[0]),
        ],
        AccumulateGradientOp a => [Keep(a.Before, a.After, this[a.Before] + this[a.Gradient])],
        AccumulateLoadOp a => [Keep(a.Before, a.After, this[a.Before] + Counts(this[a.Offsets]))],
        SquareSumOp s => [Tensor.Number(s.Gradients.Sum(gradient => this[gradient].Data.Sum(value => value * value)))],
        SquareRootOp s => [this[s.X].Map(Math.Sqrt)],
        AdamWOp a => Optimize(a),
        AverageOp a => [Keep(a.Before, a.After, this[a.Before].Map(value => value * a.Decay) + this[a.Weight].Map(value => value * (1 - a.Decay)))],
        StoreWeightOp s => [Store(s.Before, this[s.Master].Copy())],
        UpdateBiasOp u => [Store(u.Before, this[u.Before] + Steps(this[u.Load], this[u.Rate].Data[0]))],
        _ => throw new InvalidOperationException($"{op.Mnemonic} is not evaluated."),
    };

    private Tensor? Optional(Value? value) => value is null ? null : this[value];

    /// <summary>A state's value moves from op to op; the last one is what stays.</summary>
    private Tensor Keep(Value before, Value after, Tensor value)
    {
        var place = before is StateValue state ? (state.State, state.Weight.Key) : _places[((Temporary)before).Id];
        _places[((Temporary)after).Id] = place;
        return State[place] = value;
    }

    private Tensor Store(Value weight, Tensor value) => weights[((WeightValue)weight).Weight.Key] = value;

    private Tensor[] Optimize(AdamWOp op)
    {
        var (spec, rate, step) = (op.Optimizer, this[op.Rate].Data[0], this[op.Step].Data[0]);
        var clip = op.Norm is null ? 1 : Math.Min(1, spec.Clip!.Value / (this[op.Norm].Data[0] + 1e-6));
        var (gradient, master, first, second) = (this[op.Gradient].Data, this[op.Master].Copy(), this[op.First].Copy(), this[op.Second].Copy());
        for (var i = 0; i < gradient.Length; i++)
        {
            var g = gradient[i] * clip;
            var m = first.Data[i] = spec.Beta1 * first.Data[i] + (1 - spec.Beta1) * g;
            var v = second.Data[i] = spec.Beta2 * second.Data[i] + (1 - spec.Beta2) * g * g;
            master.Data[i] = master.Data[i] * (1 - rate * (op.Decays ? spec.WeightDecay : 0))
                - rate * (m / (1 - Math.Pow(spec.Beta1, step))) / (Math.Sqrt(v / (1 - Math.Pow(spec.Beta2, step))) + spec.Epsilon);
        }

        return [Keep(op.Master, op.MasterAfter, master), Keep(op.First, op.FirstAfter, first), Keep(op.Second, op.SecondAfter, second)];
    }

    private static Tensor Steps(Tensor load, double rate)
    {
        var mean = load.Data.Average();
        return load.Map(tokens => rate * Math.Sign(mean - tokens));
    }

    private static Tensor[] Pair((Tensor A, Tensor B) both) => [both.A, both.B];

    private static Tensor[] Triple((Tensor A, Tensor B, Tensor C) all) => [all.A, all.B, all.C];

    /// <summary>Tiles are a matter of kernels; nothing here reads them.</summary>
    private static Tensor[] Dispatched((Tensor Offsets, Tensor RowOf, Tensor Source) all) =>
        [all.Offsets, all.RowOf, all.Source, new Tensor(0), new Tensor(0)];

    private static Tensor Counts(Tensor offsets) =>
        new([offsets.Rows - 1], [.. Enumerable.Range(0, offsets.Rows - 1).Select(e => offsets.Data[e + 1] - offsets.Data[e])]);

    private static Tensor[] Split(Tensor x, int width)
    {
        var (left, right) = (new Tensor(x.Rows, width), new Tensor(x.Rows, x.Width - width));
        for (var t = 0; t < x.Rows; t++)
        {
            x.Row(t)[..width].CopyTo(left.Row(t));
            x.Row(t)[width..].CopyTo(right.Row(t));
        }

        return [left, right];
    }

    private static Tensor Concat(Tensor a, Tensor b)
    {
        var result = new Tensor(a.Rows, a.Width + b.Width);
        for (var t = 0; t < a.Rows; t++)
        {
            a.Row(t).CopyTo(result.Row(t));
            b.Row(t).CopyTo(result.Row(t)[a.Width..]);
        }

        return result;
    }
}
