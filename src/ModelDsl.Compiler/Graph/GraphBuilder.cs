using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Graph;

/// <summary>Puts a graph together op by op. Used by lowering, and by passes that add ops.</summary>
public sealed class GraphBuilder(Phase phase, int firstId = 0)
{
    private readonly ImmutableArray<Op>.Builder _ops = ImmutableArray.CreateBuilder<Op>();
    private readonly ImmutableArray<GraphOutput>.Builder _outputs = ImmutableArray.CreateBuilder<GraphOutput>();
    private readonly ImmutableArray<GraphTap>.Builder _taps = ImmutableArray.CreateBuilder<GraphTap>();
    private int _next = firstId;

    public Phase Phase { get; } = phase;

    /// <summary>Layer of the ops added from now on.</summary>
    public int? Layer { get; set; }

    /// <summary>Origin of the ops added from now on.</summary>
    public Origin Origin { get; set; } = Origin.None;

    /// <summary>A value that the next op makes.</summary>
    public Temporary New(TensorType type) => new(_next++, type);

    /// <summary>What the ops added from now on are for.</summary>
    public Work Work { get; set; }

    public void Add(Op op) => _ops.Add(op with { Layer = Layer, Origin = Origin, Work = Work });

    /// <summary>Adds an op that knows its layer and origin already.</summary>
    public void Keep(Op op) => _ops.Add(op);

    public void Output(StepOutput output, Value value) => _outputs.Add(new GraphOutput(output, value));

    public void Tap(string name, Value value) => _taps.Add(new GraphTap(name, value));

    public ModelGraph Build() => new(Phase, _ops.ToImmutable(), _outputs.ToImmutable(), _taps.ToImmutable());
}
