using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Compiler.Passes.PlanMemory;

/// <summary>Which values share memory, how long each piece lives and how large it must be.</summary>
internal sealed class StorageMap
{
    private readonly ModelGraph _graph;
    private readonly Func<DimSymbol, long> _limits;
    private readonly long _alignment;
    private readonly bool _reuse;
    private readonly int[] _stretches;
    private readonly Dictionary<int, int> _lastRead = [];
    private readonly Dictionary<int, (Storage Storage, Dim Offset)> _of = [];

    public StorageMap(ModelGraph graph, PlanLimits limits, long alignment, bool reuse)
    {
        _graph = graph;
        _limits = symbol => limits.Of(symbol, graph.Phase);
        _alignment = alignment;
        _reuse = reuse;
        _stretches = Stretches(graph);
        NoteReads();
        for (var i = 0; i < graph.Ops.Length; i++)
            foreach (var result in graph.Ops[i].Results)
                Store(i, graph.Ops[i], (Temporary)result);
        foreach (var output in graph.Outputs) Of(output.Value).Storage.Elsewhere = new OutputPlace(output.Output);
    }

    public IEnumerable<Storage> InWorkspace =>
        _of.Values.Select(entry => entry.Storage).Distinct().Where(storage => storage.Elsewhere is null);

    /// <summary>Where every temporary lies, once all pieces have their offsets.</summary>
    public ImmutableDictionary<int, Place> Places() =>
        _of.ToImmutableDictionary(entry => entry.Key, entry => Place(entry.Value.Storage, entry.Value.Offset));

    private static Place Place(Storage storage, Dim offset)
    {
        if (storage.Elsewhere is OutputPlace output && offset.Constant != 0) return output with { Extra = offset };
        if (storage.Elsewhere is { } elsewhere) return elsewhere;
        var scales = storage.ScalesOffset == 0 ? 0 : storage.Offset + storage.ScalesOffset;
        return offset.Constant is { } known
            ? new WorkspacePlace(storage.Offset + known, null, storage.Bytes, scales)
            : new WorkspacePlace(storage.Offset, offset, storage.Bytes, scales);
    }

    private (Storage Storage, Dim Offset) Of(Value value) => _of[((Temporary)value).Id];

    private void NoteReads()
    {
        for (var i = 0; i < _graph.Ops.Length; i++)
            foreach (var operand in _graph.Ops[i].Operands.OfType<Temporary>())
                _lastRead[operand.Id] = i;
        foreach (var value in _graph.Wanted)
            _lastRead[value.Id] = _graph.Ops.Length;
    }

    private void Store(int position, Op op, Temporary result)
    {
        var last = _lastRead.TryGetValue(result.Id, out var read) ? read : position;
        var sharing = op.Shares.FirstOrDefault(candidate => candidate.Result == result);
        if (sharing is { Operand: CacheValue cache })
        {
            _of.Add(result.Id, (new Storage(position, _stretches[position]) { Elsewhere = new CachePlace(cache.Layer) }, 0));
        }
        else if (sharing is { Operand: Temporary } && MayShare(position, sharing))
        {
            var (storage, offset) = Of(sharing.Operand);
            Prolong(storage, position, last);
            _of.Add(result.Id, (storage, offset + sharing.Offset));
        }
        else
        {
            var storage = new Storage(position, _stretches[position]);
            Prolong(storage, position, last);
            (storage.Bytes, storage.ScalesOffset) = Size(result.Type);
            _of.Add(result.Id, (storage, 0));
        }
    }

    private bool MayShare(int position, Sharing sharing) => sharing.Kind switch
    {
        SharingKind.View => true,
        SharingKind.MayReuse => _reuse && IsLastUse(position, sharing.Operand),
        _ => IsLastUse(position, sharing.Operand)
            ? true
            : throw new InvalidOperationException($"{sharing.Operand} is overwritten in place and read again afterwards."),
    };

    /// <summary>Nobody needs the memory after this op: neither the operand nor anything else that lies in it.</summary>
    private bool IsLastUse(int position, Value operand) => Of(operand).Storage.Last <= position;

    private void Prolong(Storage storage, int position, int last)
    {
        storage.Last = Math.Max(storage.Last, last);
        var end = storage.Last < _graph.Ops.Length ? _stretches[storage.Last] : (int?)null;
        if (storage.Stretch != end || storage.Stretch != _stretches[position]) storage.Stretch = null;
    }

    /// <summary>Numbers the stretches of ops that belong to one layer, or to none, from the first op to the last.</summary>
    private static int[] Stretches(ModelGraph graph)
    {
        var stretches = new int[graph.Ops.Length];
        for (var i = 1; i < stretches.Length; i++)
            stretches[i] = stretches[i - 1] + (graph.Ops[i].Layer == graph.Ops[i - 1].Layer ? 0 : 1);
        return stretches;
    }

    private (long Bytes, long ScalesOffset) Size(TensorType type)
    {
        var bytes = type.Elements.Evaluate(_limits) * type.Type.Bytes();
        if (type.Scales is not { } scales) return (bytes, 0);
        var stride = ScaleColumns.Stride(type.Rows).Evaluate(_limits);
        var scalesOffset = Align(bytes);
        return (scalesOffset + sizeof(float) * stride * ((type.Width + scales.Columns - 1) / scales.Columns), scalesOffset);
    }

    private long Align(long bytes) => (bytes + _alignment - 1) / _alignment * _alignment;
}
