namespace ModelDsl.Runtime.VirtualGpu.Parsing;

/// <summary>PTX text to a tree: module directives, variables and entries. Function bodies are in <see cref="BodyParser"/>.</summary>
internal sealed class PtxParser
{
    private readonly PtxCursor _cursor;
    private readonly PtxModule _module;
    private readonly PtxScope _scope = new(null);

    private PtxParser(string text)
    {
        var source = new PtxSource(text);
        _cursor = new PtxCursor(source);
        _module = new PtxModule(source);
    }

    /// <exception cref="Devices.DeviceException">The text is not PTX; the message has line, column and the line itself.</exception>
    public static PtxModule Parse(string text)
    {
        var parser = new PtxParser(text);
        parser.Run();
        return parser._module;
    }

    private void Run()
    {
        while (!_cursor.AtEnd)
        {
            int start = _cursor.Position;
            switch (_cursor.Word())
            {
                case ".version":
                    _module.Version = Number();
                    break;
                case ".target":
                    _module.Target = _cursor.Word().ToString();
                    while (_cursor.TryTake(',')) _cursor.Word();
                    break;
                case ".address_size":
                    if (_cursor.Integer() != 64) throw _cursor.Source.Error(start, "only .address_size 64 is supported");
                    break;
                case ".visible" or ".weak" or ".extern" or ".common":
                    _cursor.Position = start;
                    Linked();
                    break;
                case ".entry":
                    Entry(start);
                    break;
                case ".func":
                    Function(start);
                    break;
                case ".global" or ".const" or ".shared":
                    _cursor.Position = start;
                    Variables(isExternal: false);
                    break;
                case ".file" or ".loc":
                    _cursor.Position = start;
                    SourceMarks.Read(_cursor);
                    break;
                case ".pragma":
                    _cursor.Quoted();
                    _cursor.Expect(';');
                    break;
                case ".section":
                    SkipBraces();
                    break;
                case var other:
                    throw _cursor.Source.Error(start, $"'{other}' is not supported at module scope");
            }
        }
        foreach (PtxFunction function in _module.Functions) RequireKnownLabels(function);
    }

    private string Number()
    {
        ReadOnlySpan<char> word = _cursor.PeekWord();
        int start = _cursor.Position;
        _cursor.Position += word.Length;
        if (_cursor.TryTake('.')) _cursor.Integer();
        return _cursor.Source.Text[start.._cursor.Position];
    }

    private void Linked()
    {
        bool isExternal = false;
        while (true)
        {
            int start = _cursor.Position;
            ReadOnlySpan<char> word = _cursor.Word();
            if (word is ".visible" or ".weak" or ".common") continue;
            if (word is ".extern")
            {
                isExternal = true;
                continue;
            }
            if (word is ".entry")
            {
                Entry(start);
                return;
            }
            if (word is ".func")
            {
                Function(start);
                return;
            }
            _cursor.Position = start;
            Variables(isExternal);
            return;
        }
    }

    private void Variables(bool isExternal)
    {
        foreach (PtxVariable variable in new DeclarationParser(_cursor, _scope).Variables(isExternal)) _module.Variables.Add(variable);
    }

    private void Entry(int position)
    {
        var function = new PtxFunction(_cursor.Word().ToString(), position, isEntry: true);
        if (_module.Functions.Exists(f => f.IsEntry && f.Name == function.Name)) throw _cursor.Source.Error(position, $"there are two entries '{function.Name}'");
        _module.Functions.Add(function);
        var scope = new PtxScope(_scope);
        if (_cursor.TryTake('('))
        {
            if (_cursor.Peek() != ')')
            {
                do
                {
                    function.Parameters.Add(new DeclarationParser(_cursor, scope).Parameter());
                }
                while (_cursor.TryTake(','));
            }
            _cursor.Expect(')');
        }
        while (_cursor.Peek() == '.') Tuning(function);
        SourceMarks.Begin(_cursor);
        new BodyParser(_cursor, function).Parse(scope);
    }

    /// <summary><c>.func (results) name (parameters) { … }</c>, or its declaration ahead of that, which says nothing new.</summary>
    private void Function(int position)
    {
        var scope = new PtxScope(_scope);
        PtxFunction nameless = new("", position, isEntry: false);
        List<PtxVariable> results = _cursor.Peek() == '(' ? FunctionParameters(nameless, scope) : [];
        var function = new PtxFunction(_cursor.Word().ToString(), position, isEntry: false);
        function.Registers.AddRange(nameless.Registers);
        function.Results.AddRange(results);
        if (_cursor.Peek() == '(') function.Parameters.AddRange(FunctionParameters(function, scope));
        while (_cursor.Peek() == '.') Tuning(function);
        if (_cursor.TryTake(';'))
        {
            _module.Declared.Add(function.Name);
            return;
        }
        _module.Functions.Add(function);
        SourceMarks.Begin(_cursor);
        new BodyParser(_cursor, function).Parse(scope);
    }

    private List<PtxVariable> FunctionParameters(PtxFunction function, PtxScope scope)
    {
        var parameters = new List<PtxVariable>();
        _cursor.Expect('(');
        if (_cursor.Peek() != ')')
        {
            do
            {
                parameters.Add(new DeclarationParser(_cursor, scope).FunctionParameter(function));
            }
            while (_cursor.TryTake(','));
        }
        _cursor.Expect(')');
        return parameters;
    }

    private void Tuning(PtxFunction function)
    {
        int start = _cursor.Position;
        switch (_cursor.Word())
        {
            case ".maxntid":
                function.MaxThreads = (int)Math.Min(int.MaxValue, Triple() is var m ? (long)m.X * m.Y * m.Z : 0);
                break;
            case ".reqntid":
                function.RequiredThreads = Triple();
                break;
            case ".minnctapersm" or ".maxnctapersm" or ".maxnreg" or ".maxclusterrank":
                Triple();
                break;
            case ".reqnctapercluster":
                function.BlocksPerCluster = Triple();
                break;
            case ".explicitcluster" or ".noreturn":
                break;
            case ".pragma":
                _cursor.Quoted();
                _cursor.Expect(';');
                break;
            case var other:
                throw _cursor.Source.Error(start, $"'{other}' is not supported on an entry");
        }
    }

    private (int X, int Y, int Z) Triple()
    {
        int x = _cursor.Integer(), y = 1, z = 1;
        if (_cursor.TryTake(',')) y = _cursor.Integer();
        if (_cursor.TryTake(',')) z = _cursor.Integer();
        return (x, y, z);
    }

    private void SkipBraces()
    {
        while (_cursor.Peek() != '{')
        {
            if (_cursor.AtEnd) throw _cursor.Error("a section without '{'");
            _cursor.Position++;
        }
        int end = _cursor.Source.Text.IndexOf('}', _cursor.Position);
        if (end < 0) throw _cursor.Error("'{' without '}'");
        _cursor.Position = end + 1;
    }

    private void RequireKnownLabels(PtxFunction function)
    {
        foreach (PtxInstruction instruction in function.Instructions)
        {
            if (instruction.Name is "call" or "brx") continue;
            foreach (Operand operand in instruction.Operands)
            {
                if (operand.Kind != OperandKind.Label || instruction.Scope.FindLabel(operand.Name) != null || _module.FindFunction(operand.Name) >= 0) continue;
                throw _cursor.Source.Error(operand.Position, $"'{operand.Name}' is neither a register, a variable nor a label here");
            }
        }
    }
}
