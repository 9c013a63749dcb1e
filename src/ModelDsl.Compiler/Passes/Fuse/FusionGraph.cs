using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary>A graph while fusions replace its ops: who makes a value and who reads it, kept up to date.</summary>
internal sealed class FusionGraph
{
    private readonly ModelGraph _graph;
    private readonly Op?[] _ops;
    private readonly Dictionary<int, int> _makers = [];
    private readonly Dictionary<int, List<int>> _readers = [];
    private readonly HashSet<int> _wanted;

    public FusionGraph(ModelGraph graph)
    {
        _graph = graph;
        _ops = [.. graph.Ops];
        _wanted = [.. graph.Wanted.Select(value => value.Id)];
        for (var i = 0; i < _ops.Length; i++) Enter(i, _ops[i]!);
    }

    /// <summary>Ops that are there now, with their positions, in order.</summary>
    public IEnumerable<(int Position, T Op)> All<T>()
        where T : Op
    {
        for (var i = 0; i < _ops.Length; i++)
            if (_ops[i] is T op)
                yield return (i, op);
    }

    /// <summary>The op of a kind that makes the value, and its position; null if another kind does.</summary>
    public (int Position, T Op)? Maker<T>(Value value)
        where T : Op =>
        value is Temporary temporary && _makers.TryGetValue(temporary.Id, out var position) && _ops[position] is T op
            ? (position, op)
            : null;

    /// <summary>The first op of a kind that reads the value, and its position.</summary>
    public (int Position, T Op)? Reader<T>(Value value)
        where T : Op
    {
        foreach (var position in Readers(value))
            if (_ops[position] is T op)
                return (position, op);
        return null;
    }

    /// <summary>One op reads the value, and nobody outside wants it.</summary>
    public bool IsPrivate(Value value) => Readers(value).Count == 1 && !_wanted.Contains(((Temporary)value).Id);

    /// <summary>Puts an op in the place of several: it stands at <paramref name="position"/>, the others go.</summary>
    public void Replace(int position, Op op, params int[] others)
    {
        var old = _ops[position]!;
        Leave(position);
        foreach (var other in others) Leave(other);
        _ops[position] = op with { Layer = old.Layer, Origin = old.Origin };
        Enter(position, op);
    }

    public ModelGraph Build() => _graph with { Ops = [.. _ops.OfType<Op>()] };

    private List<int> Readers(Value value)
    {
        var id = ((Temporary)value).Id;
        if (!_readers.TryGetValue(id, out var readers)) _readers.Add(id, readers = []);
        return readers;
    }

    private void Enter(int position, Op op)
    {
        foreach (var result in op.Results) _makers[((Temporary)result).Id] = position;
        foreach (var operand in op.Operands.OfType<Temporary>())
        {
            var readers = Readers(operand);
            var index = readers.BinarySearch(position);
            if (index < 0) readers.Insert(~index, position);
        }
    }

    private void Leave(int position)
    {
        foreach (var result in _ops[position]!.Results) _makers.Remove(((Temporary)result).Id);
        foreach (var operand in _ops[position]!.Operands.OfType<Temporary>()) Readers(operand).Remove(position);
        _ops[position] = null;
    }
}
