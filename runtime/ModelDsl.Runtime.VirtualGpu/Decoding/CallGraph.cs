using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>
/// Who calls whom from an entry on. Most functions are put in the place of the call; those that call themselves, are called
/// through pointers or are large have one body that calls go to.
/// </summary>
internal sealed class CallGraph
{
    private const int MostInstructions = 20_000;
    private const int SmallFunction = 64;

    private readonly PtxModule _module;
    private readonly Dictionary<string, PtxFunction> _byName = [];
    private readonly Dictionary<PtxFunction, PtxFunction[]> _callees = [];
    private readonly Dictionary<PtxFunction, int> _sizes = [];
    private readonly HashSet<PtxFunction> _called = [], _recursive = [];
    private readonly List<PtxFunction> _order = [];
    private PtxFunction[]? _pointed;

    public CallGraph(PtxModule module, PtxFunction entry)
    {
        _module = module;
        foreach (PtxFunction function in module.Functions)
            if (!function.IsEntry) _byName.TryAdd(function.Name, function);
        Visit(entry);
        foreach (PtxFunction function in _order)
            if (Reaches(function, function)) _recursive.Add(function);
        _called.UnionWith(_recursive);
        foreach (PtxFunction function in _order) Measure(function);
        _order.Remove(entry);
    }

    /// <summary>Functions with a body of their own; callees come before their callers where that can be.</summary>
    public IEnumerable<PtxFunction> Called => _order.Where(_called.Contains);

    public bool IsCalled(PtxFunction function) => _called.Contains(function);

    public bool IsRecursive(PtxFunction function) => _recursive.Contains(function);

    /// <summary>The function behind a direct call, or null.</summary>
    public PtxFunction? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The operand of a call that says where to go; a register makes it indirect.</summary>
    public static Operand? Callee(PtxInstruction call)
    {
        int at = call.Operands.Length > 0 && call.Operands[0].Kind == OperandKind.List ? 1 : 0;
        return at < call.Operands.Length ? call.Operands[at] : null;
    }

    private void Visit(PtxFunction start)
    {
        // Not by recursion: the text decides how deep it would go.
        var stack = new Stack<(PtxFunction Function, int Next)>();
        _callees[start] = Callees(start);
        stack.Push((start, 0));
        while (stack.TryPop(out var top))
        {
            PtxFunction[] callees = _callees[top.Function];
            if (top.Next == callees.Length)
            {
                _order.Add(top.Function);
                continue;
            }
            stack.Push((top.Function, top.Next + 1));
            PtxFunction callee = callees[top.Next];
            if (!_callees.TryAdd(callee, [])) continue;
            _callees[callee] = Callees(callee);
            stack.Push((callee, 0));
        }
    }

    private PtxFunction[] Callees(PtxFunction function)
    {
        var callees = new HashSet<PtxFunction>();
        foreach (PtxInstruction call in function.Instructions)
        {
            if (call.Name != "call" || Callee(call) is not { } callee) continue;
            if (callee.Kind == OperandKind.Label)
            {
                if (_byName.TryGetValue(callee.Name, out PtxFunction? direct)) callees.Add(direct);
            }
            else if (call.Operands[^1].Kind == OperandKind.Label && call.Scope.FindPrototype(call.Operands[^1].Name) is { } prototype)
            {
                foreach (PtxFunction target in Pointed())
                {
                    if (!Fits(target, prototype)) continue;
                    callees.Add(target);
                    _called.Add(target);
                }
            }
        }
        return [.. callees];
    }

    /// <summary>Functions whose address somebody takes.</summary>
    private PtxFunction[] Pointed()
    {
        if (_pointed != null) return _pointed;
        var names = new HashSet<string>(_module.Variables.SelectMany(v => v.Relocations ?? []).Select(r => r.Symbol));
        foreach (PtxInstruction instruction in _module.Functions.SelectMany(f => f.Instructions))
        {
            if (instruction.Name is "call" or "brx" or "bra") continue;
            foreach (Operand operand in instruction.Operands)
                if (operand.Kind == OperandKind.Label) names.Add(operand.Name);
        }
        return _pointed = [.. names.Select(name => _byName.GetValueOrDefault(name)).OfType<PtxFunction>()];
    }

    private static bool Fits(PtxFunction function, PtxPrototype prototype) =>
        function.Parameters.Select(p => p.Bytes).SequenceEqual(prototype.Parameters.Select(p => p.Bytes))
        && function.Results.Select(p => p.Bytes).SequenceEqual(prototype.Results.Select(p => p.Bytes));

    private bool Reaches(PtxFunction from, PtxFunction to)
    {
        var seen = new HashSet<PtxFunction>();
        var open = new Stack<PtxFunction>(_callees[from]);
        while (open.TryPop(out PtxFunction? function))
        {
            if (function == to) return true;
            if (!seen.Add(function)) continue;
            foreach (PtxFunction callee in _callees[function]) open.Push(callee);
        }
        return false;
    }

    /// <summary>Instructions with everything put in place; where they are too many, callees get bodies of their own.</summary>
    private void Measure(PtxFunction function)
    {
        List<PtxFunction> sites = [.. function.Instructions.Where(i => i.Name == "call").Select(i => Callee(i) is { Kind: OperandKind.Label } callee ? Find(callee.Name) : null).OfType<PtxFunction>()];
        long Size() => function.Instructions.Count + sites.Sum(callee => _called.Contains(callee) ? 1L : _sizes.GetValueOrDefault(callee, 1));
        if (Size() > MostInstructions)
            foreach (PtxFunction callee in sites)
                if (_sizes.GetValueOrDefault(callee, 1) > SmallFunction) _called.Add(callee);
        _sizes[function] = (int)Math.Min(int.MaxValue, Size());
    }
}
