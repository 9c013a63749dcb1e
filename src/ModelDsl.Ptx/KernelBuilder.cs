using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

/// <summary>
/// Writes one kernel. Values made here (parameters, thread indices, loads) carry the builder, so that operators on them emit where they
/// stand. Equal computations in one scope are emitted once; what nobody reads is left out; constants fold.
/// </summary>
public sealed partial class KernelBuilder
{
    private readonly List<Statement> _prologue = [];
    private readonly List<Statement> _body = [];
    private readonly Dictionary<Register, Instruction> _definitions = [];
    private readonly HashSet<Register> _rounded = [];
    private readonly Stack<Dictionary<Computation, Operand>> _scopes = new([[]]);
    private readonly Dictionary<Computation, Operand> _prologueValues = [];
    private readonly int[] _registers = new int[6];
    private Guard? _guard;
    private int _labels;

    private readonly bool _lines;

    internal KernelBuilder(PtxTarget target, string name, bool lines) => (Target, Name, _lines) = (target, name, lines);

    /// <summary>What the kernel is written for.</summary>
    public PtxTarget Target { get; }

    /// <summary>The entry's name.</summary>
    public string Name { get; }

    internal IReadOnlyList<Statement> Statements => [.. _prologue, .. _body];

    /// <summary>Puts a remark above what follows.</summary>
    public void Comment(string text)
    {
        if (_body.Count > 0 && _body[^1] is not Label) _body.Add(new Blank());
        _body.Add(new Comment(text));
    }

    /// <summary>Throws if the target lacks the feature that an instruction needs.</summary>
    internal void Require(Feature feature, string instruction)
    {
        if (!Target.Supports(feature)) throw new PtxException($"kernel '{Name}': {instruction} needs {feature}, which {Target} lacks");
    }

    /// <summary>A variable with its first value.</summary>
    public Var<T> Var<T>(T initial) where T : Value
    {
        var variable = new Var<T>(this, NewRegister(Element<T>.Value.Register.Class));
        WriteVariable(variable, initial);
        return variable;
    }

    /// <summary>Variables with the same first value: the accumulators of a tile.</summary>
    public Var<T>[] Vars<T>(int count, T initial) where T : Value => [.. Enumerable.Range(0, count).Select(_ => Var(initial))];

    /// <summary>A product that is rounded by itself and never fused with an addition.</summary>
    public F32 Rounded(F32 product)
    {
        if (product.Operand is RegisterOperand r) _rounded.Add(r.Register);
        return product;
    }

    internal T ReadVariable<T>(Var<T> variable) where T : Value =>
        Element<T>.Value.Wrap(this, Copy(variable.Register, variable.Register.Class, Effect.Reads));

    internal void WriteVariable<T>(Var<T> variable, T value, Pred? predicate = null) where T : Value
    {
        if (predicate?.Constant == false) return;
        var guard = predicate is null || predicate.Constant == true ? _guard : GuardOf(predicate);
        var source = value is not Pred p ? value.Operand : p.Constant is { } known ? Known(known) : p.Plain().Operand;
        Append(Make("mov." + MoveType(variable.Register.Class), [variable.Register], [source], Effect.None, guard));
    }

    /// <summary>The instruction that made a value, if it is one register written once.</summary>
    internal Instruction? DefinitionOf(Value value) =>
        value.Operand is RegisterOperand r && _definitions.TryGetValue(r.Register, out var definition) ? definition : null;

    /// <summary>The factors, if a value is a product that may be fused.</summary>
    internal (F32 Left, F32 Right)? ProductOf(F32 value)
    {
        if (DefinitionOf(value) is not { Opcode: "mul" } product) return null;
        if (_rounded.Contains(((RegisterOperand)value.Operand).Register)) return null;
        return (new F32(this, product.Sources[0]), new F32(this, product.Sources[1]));
    }

    internal T Emit<T>(string name, params Value[] sources) where T : Value =>
        EmitRaw<T>(name, [.. sources.Select(s => s.Operand)]);

    internal T EmitRaw<T>(string name, params Operand[] sources) where T : Value
    {
        var element = Element<T>.Value;
        return element.Wrap(this, EmitOne(name, Effect.None, element.Register.Class, sources));
    }

    /// <summary>Emits an instruction with one fresh result; a pure one that is already in scope is not emitted again.</summary>
    internal Operand EmitOne(string name, Effect effect, RegisterClass result, Operand[] sources)
    {
        var key = new Computation(name, result, sources);
        var pure = effect == Effect.None && _guard is null;
        if (pure)
            foreach (var scope in _scopes)
                if (scope.TryGetValue(key, out var known)) return known;
        var register = NewRegister(result);
        var instruction = Make(name, [register], sources, effect, _guard);
        Append(instruction);
        if (_guard is null) _definitions[register] = instruction;
        Operand operand = register;
        if (pure) _scopes.Peek()[key] = operand;
        return operand;
    }

    /// <summary>Emits an instruction with given destinations.</summary>
    internal void EmitVoid(string name, Operand[] destinations, Operand[] sources, Effect effect = Effect.Writes, Pred? predicate = null)
    {
        if (predicate?.Constant == false) return;
        Append(Make(name, destinations, sources, effect, predicate is null || predicate.Constant == true ? _guard : GuardOf(predicate)));
    }

    internal Register NewRegister(RegisterClass cls) => new(cls, _registers[(int)cls]++);

    /// <summary>The operand in a register, for the places where PTX wants no constant.</summary>
    internal Operand InRegister(Value value) =>
        value.IsConstant ? Copy(value.Operand, value.Type.Class, Effect.None) : value.Operand;

    private Operand Copy(Operand source, RegisterClass cls, Effect effect) => EmitOne("mov." + MoveType(cls), effect, cls, [source]);

    /// <summary>Something that every thread has from the start: emitted once, before the body.</summary>
    internal Operand Prologue(string name, RegisterClass result, Operand source)
    {
        var key = new Computation(name, result, [source]);
        if (_prologueValues.TryGetValue(key, out var known)) return known;
        var register = NewRegister(result);
        var instruction = Make(name, [register], [source], Effect.None, null);
        _prologue.Add(Located(instruction));
        _definitions[register] = instruction;
        return _prologueValues[key] = register;
    }

    private Guard GuardOf(Pred predicate)
    {
        if (_guard is not null) throw new PtxException($"kernel '{Name}': a guarded instruction inside Guarded");
        return new Guard(((RegisterOperand)predicate.Operand).Register, predicate.Negated);
    }

    /// <summary>A constant predicate in a register.</summary>
    private Operand Known(bool value) =>
        EmitOne("setp.ne.s32", Effect.None, RegisterClass.Pred, [InRegister((S32)(value ? 1 : 0)), ((S32)0).Operand]);

    private void Append(Instruction instruction) => _body.Add(Located(instruction));

    private Instruction Located(Instruction instruction) => _lines ? instruction with { Line = SourceLine.OfCaller() } : instruction;

    private static Instruction Make(string name, Operand[] destinations, Operand[] sources, Effect effect, Guard? guard) =>
        new(name, destinations, sources, effect, guard);

    private static string MoveType(RegisterClass cls) => cls switch
    {
        RegisterClass.Pred => "pred", RegisterClass.B16 => "b16", RegisterClass.B32 => "b32", RegisterClass.B64 => "b64",
        RegisterClass.F32 => "f32", _ => "f64",
    };

    /// <summary>What makes two pure instructions the same: what they compute, of what.</summary>
    private readonly struct Computation(string name, RegisterClass result, Operand[] sources) : IEquatable<Computation>
    {
        private readonly string _name = name;
        private readonly RegisterClass _result = result;
        private readonly Operand[] _sources = sources;

        public bool Equals(Computation other) => _name == other._name && _result == other._result && _sources.SequenceEqual(other._sources);

        public override bool Equals(object? other) => other is Computation computation && Equals(computation);

        public override int GetHashCode()
        {
            var hash = _name.GetHashCode();
            foreach (var source in _sources) hash = hash * 31 + source.GetHashCode();
            return hash;
        }
    }
}
