namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>Turns the syntax tree into steps. Loops over a single set are one step; other counted loops are unrolled.</summary>
internal sealed class PatternCompiler
{
    private const int MaxInstructions = 20_000;

    private readonly List<Instruction> _code = [];
    private readonly List<CodePointSet> _sets = [];

    public static (Instruction[] Code, List<CodePointSet> Sets) Compile(PatternNode node)
    {
        var compiler = new PatternCompiler();
        compiler.Emit(node);
        compiler.Add(new Instruction(Op.Match));
        return ([.. compiler._code], compiler._sets);
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.One one:
                Add(new Instruction(Op.One, Set(one.Set)));
                break;
            case PatternNode.Sequence sequence:
                foreach (var item in sequence.Items)
                    Emit(item);
                break;
            case PatternNode.Choice choice:
                EmitChoice(choice);
                break;
            case PatternNode.Repeat { Body: PatternNode.One one, Greed: not Greed.Lazy } repeat:
                var op = repeat.Greed == Greed.Possessive ? Op.ManyPossessive : Op.Many;
                Add(new Instruction(op, Set(one.Set), 0, repeat.Min, repeat.Max));
                break;
            case PatternNode.Repeat { Greed: Greed.Possessive } repeat:
                Emit(new PatternNode.Atomic(repeat with { Greed = Greed.Greedy }));
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat);
                break;
            case PatternNode.Atomic atomic:
                EmitInner(Op.Atomic, atomic.Body);
                break;
            case PatternNode.LookAhead look:
                EmitInner(look.Negated ? Op.LookAheadNot : Op.LookAhead, look.Body);
                break;
            case PatternNode.LookBehind look:
                Add(new Instruction(look.Negated ? Op.LookBehindNot : Op.LookBehind, Set(look.Set)));
                break;
            case PatternNode.Edge edge:
                Add(new Instruction(edge.AtEnd ? Op.AtEnd : Op.AtStart));
                break;
        }
    }

    private void EmitChoice(PatternNode.Choice choice)
    {
        var exits = new List<int>();
        for (var i = 0; i < choice.Options.Count - 1; i++)
        {
            var fork = Add(default);
            Emit(choice.Options[i]);
            exits.Add(Add(default));
            _code[fork] = new Instruction(Op.Fork, fork + 1, _code.Count);
        }

        Emit(choice.Options[^1]);
        foreach (var exit in exits)
            _code[exit] = new Instruction(Op.Jump, _code.Count);
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        for (var i = 0; i < repeat.Min; i++)
            Emit(repeat.Body);
        if (repeat.Max == int.MaxValue)
        {
            var fork = Add(default);
            Emit(repeat.Body);
            Add(new Instruction(Op.Jump, fork));
            _code[fork] = Branch(repeat.Greed, fork + 1, _code.Count);
            return;
        }

        var forks = new List<int>();
        for (var i = repeat.Min; i < repeat.Max; i++)
        {
            forks.Add(Add(default));
            Emit(repeat.Body);
        }

        foreach (var fork in forks)
            _code[fork] = Branch(repeat.Greed, fork + 1, _code.Count);
    }

    private static Instruction Branch(Greed greed, int body, int exit) =>
        greed == Greed.Lazy ? new Instruction(Op.Fork, exit, body) : new Instruction(Op.Fork, body, exit);

    private void EmitInner(Op op, PatternNode body)
    {
        var start = Add(default);
        Emit(body);
        Add(new Instruction(Op.Match));
        _code[start] = new Instruction(op, _code.Count);
    }

    private int Set(CodePointSet set)
    {
        var known = _sets.FindIndex(s => s.Bounds.SequenceEqual(set.Bounds));
        if (known >= 0)
            return known;
        _sets.Add(set);
        return _sets.Count - 1;
    }

    private int Add(Instruction instruction)
    {
        if (_code.Count == MaxInstructions)
            throw new PatternException("the expression is too large");
        _code.Add(instruction);
        return _code.Count - 1;
    }
}
