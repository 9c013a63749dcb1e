using System.Buffers.Binary;

namespace ModelDsl.Runtime.VirtualGpu.Parsing;

/// <summary>Declarations of parameters, variables (with initialisers) and registers.</summary>
internal sealed class DeclarationParser(PtxCursor cursor, PtxScope scope)
{
    private const int MostRegisters = 1 << 20;
    private const long MostBytes = 1L << 31;

    /// <summary><c>.param .u64 .ptr .global .align 16 name</c>, or a byte array.</summary>
    public PtxVariable Parameter()
    {
        int start = cursor.Position;
        if (cursor.Word() is not ".param") throw cursor.Source.Error(start, "expected .param");
        return Declarator(StateSpace.Param, Attributes(out int alignment), alignment, isExternal: false);
    }

    /// <summary>A parameter of a function: <c>.param</c> as above, or a register.</summary>
    public PtxVariable FunctionParameter(PtxFunction function)
    {
        int start = cursor.Position;
        if (cursor.Word() is not ".reg")
        {
            cursor.Position = start;
            return Parameter();
        }
        PtxVariable variable = Declarator(StateSpace.Register, Attributes(out int alignment), alignment, isExternal: false);
        scope.Variables.Remove(variable.Name);
        variable.Register = function.Registers.Count;
        scope.Registers[variable.Name] = (function.Registers.Count, 0);
        function.Registers.Add(variable.Type);
        return variable;
    }

    /// <summary>One or more variables up to the semicolon, starting at the state space.</summary>
    public List<PtxVariable> Variables(bool isExternal)
    {
        int start = cursor.Position;
        StateSpace space = cursor.Word() switch
        {
            ".shared" => StateSpace.Shared,
            ".global" => StateSpace.Global,
            ".local" => StateSpace.Local,
            ".const" => StateSpace.Const,
            ".param" => StateSpace.Param,
            var other => throw cursor.Source.Error(start, $"'{other}' is not a state space of a variable"),
        };
        PtxType type = Attributes(out int alignment);
        var variables = new List<PtxVariable>();
        do
        {
            variables.Add(Declarator(space, type, alignment, isExternal));
        }
        while (cursor.TryTake(','));
        cursor.Expect(';');
        return variables;
    }

    /// <summary><c>.reg .b32 %r&lt;10&gt;, %x;</c> after the word <c>.reg</c>.</summary>
    public void Registers(PtxFunction function)
    {
        int start = cursor.Position;
        PtxType type = PtxTypes.Parse(cursor.Word()[1..]);
        if (type is PtxType.None or PtxType.B128) throw cursor.Source.Error(start, "unknown register type");
        do
        {
            string name = cursor.Word().ToString();
            int first = function.Registers.Count, count = 0;
            if (cursor.TryTake('<'))
            {
                count = cursor.Integer();
                if (count is < 1 or > MostRegisters) throw cursor.Source.Error(start, $"between 1 and {MostRegisters} registers can be declared at once");
                if (first + count > MostRegisters) throw cursor.Source.Error(start, $"a function has at most {MostRegisters} registers");
                cursor.Expect('>');
            }
            scope.Registers[name] = (first, count);
            for (int i = 0; i < Math.Max(1, count); i++) function.Registers.Add(type);
        }
        while (cursor.TryTake(','));
        cursor.Expect(';');
    }

    private PtxType Attributes(out int alignment)
    {
        alignment = 0;
        PtxType type = PtxType.None;
        int lanes = 1;
        while (cursor.Peek() == '.')
        {
            int start = cursor.Position;
            ReadOnlySpan<char> word = cursor.Word();
            switch (word)
            {
                case ".align":
                    alignment = Math.Max(alignment, cursor.Integer());
                    break;
                // What a pointer parameter points to says nothing about the parameter itself.
                case ".ptr":
                    while (cursor.Peek() == '.')
                    {
                        if (cursor.Word() is ".align") cursor.Integer();
                    }
                    return type;
                // Who may touch a variable from the host: nothing that a kernel sees.
                case ".attribute":
                    cursor.Expect('(');
                    while (!cursor.TryTake(')')) cursor.SkipWord();
                    break;
                case ".v2":
                    lanes = 2;
                    break;
                case ".v4":
                    lanes = 4;
                    break;
                default:
                    type = PtxTypes.Parse(word[1..]);
                    if (type == PtxType.None) throw cursor.Source.Error(start, $"unknown type '{word}'");
                    break;
            }
        }
        if (lanes > 1) throw cursor.Error("vector variables are not supported; declare an array");
        return type;
    }

    private PtxVariable Declarator(StateSpace space, PtxType type, int alignment, bool isExternal)
    {
        int position = cursor.Position;
        string name = cursor.Word().ToString();
        if (type.Size() == 0) throw cursor.Source.Error(position, $"variable '{name}' has no type");
        var variable = new PtxVariable(name, space, type, position)
        {
            Alignment = Math.Max(alignment, type.Size()),
            IsExternal = isExternal,
        };
        long count = 1;
        bool open = false;
        while (cursor.TryTake('['))
        {
            if (cursor.TryTake(']'))
            {
                open = true;
                continue;
            }
            Operand length = cursor.Number();
            if (length.Kind != OperandKind.Integer) throw cursor.Source.Error(length.Position, "an array length is an integer");
            if (length.Bits > (ulong)MostBytes || (count *= (long)length.Bits) > MostBytes) throw cursor.Source.Error(length.Position, $"'{name}' is too large: variables have at most {MostBytes:N0} bytes");
            cursor.Expect(']');
        }
        variable.Bytes = open ? 0 : Math.Min(count * type.Size(), MostBytes);
        if (!System.Numerics.BitOperations.IsPow2(variable.Alignment)) throw cursor.Source.Error(position, $"an alignment of {variable.Alignment} is no power of two");
        if (cursor.TryTake('=')) Initialise(variable, open);
        else if (open && !isExternal) throw cursor.Source.Error(position, $"'{name}[]' needs a length or an initialiser");
        scope.Variables[name] = variable;
        return variable;
    }

    private void Initialise(PtxVariable variable, bool open)
    {
        var bytes = new List<byte>();
        Values(variable, bytes);
        if (open) variable.Bytes = bytes.Count;
        if (bytes.Count > variable.Bytes) throw cursor.Source.Error(variable.Position, $"'{variable.Name}' has more initial values than elements");
        variable.Initial = bytes.ToArray();
    }

    private void Values(PtxVariable variable, List<byte> bytes)
    {
        if (cursor.TryTake('{'))
        {
            if (cursor.TryTake('}')) return;
            cursor.Enter();
            do
            {
                Values(variable, bytes);
            }
            while (cursor.TryTake(','));
            cursor.Expect('}');
            cursor.Leave();
            return;
        }
        if (!char.IsAsciiDigit(cursor.Peek()) && cursor.Peek() != '-')
        {
            if (variable.Type.Size() != sizeof(ulong)) throw cursor.Error($"'{variable.Name}' has elements of {variable.Type.Size()} bytes; an address takes {sizeof(ulong)}");
            var relocation = (bytes.Count, SymbolName());
            (variable.Relocations ??= []).Add(relocation);
            // What is added to the address stands where the address will.
            Span<byte> addend = stackalloc byte[8];
            if (cursor.TryTake('+')) BinaryPrimitives.WriteUInt64LittleEndian(addend, cursor.Number(signed: true).Bits);
            bytes.AddRange(addend[..variable.Type.Size()]);
            return;
        }
        Span<byte> word = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(word, Literals.Bits(cursor.Number(signed: true), variable.Type));
        bytes.AddRange(word[..variable.Type.Size()]);
    }

    private string SymbolName()
    {
        string name = cursor.Word().ToString();
        if (name == "generic" && cursor.TryTake('('))
        {
            name = cursor.Word().ToString();
            cursor.Expect(')');
        }
        return name;
    }
}
