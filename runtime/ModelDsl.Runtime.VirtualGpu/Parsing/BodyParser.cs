namespace ModelDsl.Runtime.VirtualGpu.Parsing;

/// <summary>The body of a function: declarations, labels, instructions, nested scopes.</summary>
internal sealed class BodyParser(PtxCursor cursor, PtxFunction function)
{
    /// <summary>More than there are forms of instructions; beyond it a text is made up, and nobody is helped by remembering its words.</summary>
    private const int MostOpcodes = 4096;

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, string[]> s_opcodes = new();
    private readonly List<Operand> _operands = [];

    public void Parse(PtxScope outer)
    {
        cursor.Expect('{');
        cursor.Enter();
        var scope = new PtxScope(outer);
        while (!cursor.TryTake('}'))
        {
            switch (cursor.Peek())
            {
                case '\0':
                    throw cursor.Error($"the body of '{function.Name}' has no '}}'");
                case '{':
                    Parse(scope);
                    break;
                case ';':
                    cursor.Position++;
                    break;
                case '.':
                    Directive(scope);
                    break;
                default:
                    Statement(scope);
                    break;
            }
        }
        cursor.Leave();
    }

    private void Directive(PtxScope scope)
    {
        int start = cursor.Position;
        switch (cursor.Word())
        {
            case ".reg":
                new DeclarationParser(cursor, scope).Registers(function);
                break;
            case ".shared" or ".local" or ".param":
                cursor.Position = start;
                function.Variables.AddRange(new DeclarationParser(cursor, scope).Variables(isExternal: false));
                break;
            case ".loc" or ".file":
                cursor.Position = start;
                SourceMarks.Read(cursor);
                break;
            case ".pragma":
                cursor.Quoted();
                cursor.Expect(';');
                break;
            case var other:
                throw cursor.Source.Error(start, $"directive '{other}' is not supported");
        }
    }

    private void Statement(PtxScope scope)
    {
        int start = cursor.Position, guard = -1;
        bool negated = false;
        if (cursor.TryTake('@'))
        {
            negated = cursor.TryTake('!');
            int at = cursor.Position;
            guard = FindRegister(scope, cursor.Word());
            if (guard < 0 || function.Registers[guard] != PtxType.Pred) throw cursor.Source.Error(at, "the guard is not a declared predicate register");
        }
        ReadOnlySpan<char> word = cursor.Opcode();
        if (guard < 0 && cursor.TryTake(':'))
        {
            if (!Table(scope, word.ToString())) scope.Labels[word.ToString()] = function.Instructions.Count;
            return;
        }
        string[] opcode = Split(word);
        _operands.Clear();
        if (cursor.Peek() != ';')
        {
            do
            {
                _operands.Add(cursor.Peek() == '(' ? List(scope) : Operand(scope));
            }
            while (cursor.TryTake(','));
        }
        if (!cursor.TryTake(';')) throw cursor.Error($"expected ',' or ';' in '{string.Join('.', opcode)}' but found {cursor.Describe()}");
        function.Instructions.Add(new PtxInstruction(start, opcode, guard, negated, _operands.ToArray(), scope));
    }

    /// <summary>A declaration that starts like a label: what an indirect call or an indexed branch may go to.</summary>
    private bool Table(PtxScope scope, string name)
    {
        if (cursor.Peek() != '.') return false;
        int start = cursor.Position;
        switch (cursor.Word())
        {
            case ".callprototype":
                scope.Prototypes[name] = Prototype();
                return true;
            case ".branchtargets":
                var targets = new List<Operand>();
                do
                {
                    targets.Add(Named(scope));
                }
                while (cursor.TryTake(','));
                cursor.Expect(';');
                scope.BranchTargets[name] = targets.ToArray();
                return true;
            case ".calltargets":
                // Whoever may be called through a pointer is known from whose address is taken.
                do
                {
                    cursor.Word();
                }
                while (cursor.TryTake(','));
                cursor.Expect(';');
                return true;
            default:
                cursor.Position = start;
                return false;
        }
    }

    private PtxPrototype Prototype()
    {
        List<PtxVariable> results = cursor.Peek() == '(' ? Formals() : [];
        cursor.Word();
        List<PtxVariable> parameters = cursor.Peek() == '(' ? Formals() : [];
        while (cursor.Peek() == '.') cursor.Word();
        cursor.Expect(';');
        return new PtxPrototype(results, parameters);
    }

    private List<PtxVariable> Formals()
    {
        var formals = new List<PtxVariable>();
        var nowhere = new PtxScope(null);
        cursor.Expect('(');
        if (cursor.Peek() != ')')
        {
            do
            {
                formals.Add(new DeclarationParser(cursor, nowhere).Parameter());
            }
            while (cursor.TryTake(','));
        }
        cursor.Expect(')');
        return formals;
    }

    private static string[] Split(ReadOnlySpan<char> word)
    {
        var lookup = s_opcodes.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(word, out string[]? parts)) return parts;
        string text = word.ToString();
        parts = text.Split('.');
        return s_opcodes.Count < MostOpcodes ? s_opcodes.GetOrAdd(text, parts) : parts;
    }

    private Operand Operand(PtxScope scope)
    {
        Operand first = Simple(scope);
        if (!cursor.TryTake('|')) return first;
        return new Operand(OperandKind.Pair, first.Position) { Items = [first, Simple(scope)] };
    }

    private Operand Simple(PtxScope scope)
    {
        char c = cursor.Peek();
        int start = cursor.Position;
        switch (c)
        {
            case '{' or '[':
                cursor.Enter();
                Operand inner = c == '{' ? Vector(scope, start) : Address(scope, start);
                cursor.Leave();
                return inner;
            case '!':
                cursor.Position++;
                return Named(scope) with { Negated = true };
            case '-':
                return cursor.Number(signed: true);
        }
        return char.IsAsciiDigit(c) ? cursor.Number() : Named(scope);
    }

    private Operand List(PtxScope scope)
    {
        int start = cursor.Position;
        cursor.Expect('(');
        var items = new List<Operand>();
        if (cursor.Peek() != ')')
        {
            do
            {
                items.Add(Simple(scope));
            }
            while (cursor.TryTake(','));
        }
        cursor.Expect(')');
        return new Operand(OperandKind.List, start) { Items = items.ToArray() };
    }

    private Operand Vector(PtxScope scope, int start)
    {
        cursor.Expect('{');
        var items = new List<Operand>();
        do
        {
            items.Add(Simple(scope));
        }
        while (cursor.TryTake(','));
        cursor.Expect('}');
        return new Operand(OperandKind.Vector, start) { Items = items.ToArray() };
    }

    private Operand Address(PtxScope scope, int start)
    {
        cursor.Expect('[');
        Operand @base = Simple(scope);
        ulong offset = Offset();
        // A tensor map has the coordinates of a tile behind it.
        Operand? coordinates = cursor.TryTake(',') ? Simple(scope) : null;
        cursor.Expect(']');
        if (@base.Kind == OperandKind.Integer) return new Operand(OperandKind.Address, start) { Bits = @base.Bits + offset };
        if (@base.Kind == OperandKind.Symbol) (offset, @base) = (offset + @base.Bits, @base with { Bits = 0 });
        if (@base.Kind is not (OperandKind.Register or OperandKind.Symbol))
            throw cursor.Source.Error(start, @base.Kind == OperandKind.Label ? $"'{@base.Name}' is not declared" : "an address is a register, a variable or a number, plus an offset");
        return new Operand(OperandKind.Address, start) { Items = coordinates == null ? [@base] : [@base, coordinates], Bits = offset };
    }

    private ulong Offset()
    {
        if (cursor.TryTake('+')) return cursor.Number(cursor.Peek() == '-').Bits;
        if (cursor.Peek() == '-') throw cursor.Error($"an offset is added: write '+-{(0 - cursor.Number(signed: true).Bits)}'");
        return 0;
    }

    private Operand Named(PtxScope scope)
    {
        cursor.Peek();
        int start = cursor.Position;
        ReadOnlySpan<char> word = cursor.Word();
        int register = FindRegister(scope, word);
        if (register >= 0) return new Operand(OperandKind.Register, start) { Register = register };
        if (word is "_") return new Operand(OperandKind.Sink, start);
        string name = word.ToString();
        if (word[0] == '%' || name == "WARP_SZ")
        {
            if (cursor.TryTake('.')) name += "." + cursor.Word().ToString();
            return new Operand(OperandKind.Special, start) { Name = name };
        }
        for (PtxScope? s = scope; s != null; s = s.Parent)
            if (s.Variables.TryGetValue(name, out PtxVariable? variable))
                return new Operand(OperandKind.Symbol, start) { Variable = variable, Name = name, Bits = Offset() };
        return new Operand(OperandKind.Label, start) { Name = name };
    }

    private static int FindRegister(PtxScope scope, ReadOnlySpan<char> name)
    {
        int digits = name.Length;
        while (digits > 0 && char.IsAsciiDigit(name[digits - 1])) digits--;
        bool ranged = digits < name.Length && int.TryParse(name[digits..], out _) && (name[digits] != '0' || digits == name.Length - 1);
        int number = ranged ? int.Parse(name[digits..]) : 0;
        for (PtxScope? s = scope; s != null; s = s.Parent)
        {
            if (s.Registers.Count == 0) continue;
            var lookup = s.Registers.GetAlternateLookup<ReadOnlySpan<char>>();
            if (lookup.TryGetValue(name, out var single) && single.Count == 0) return single.First;
            if (ranged && lookup.TryGetValue(name[..digits], out var range) && number < range.Count) return range.First + number;
        }
        return -1;
    }
}
