namespace ModelDsl.Ptx.Instructions;

/// <summary>
/// What can be seen without an assembler: registers are written before they are read, jumps land, operands fit their opcode.
/// </summary>
internal static class Verifier
{
    public static void Check(string kernel, IReadOnlyList<Statement> statements)
    {
        var written = new HashSet<Register>();
        var labels = new HashSet<string>(statements.OfType<Label>().Select(l => l.Name));
        foreach (var i in statements.OfType<Instruction>())
        {
            foreach (var register in i.Reads)
                if (!written.Contains(register))
                    throw Fail($"reads a {register.Class} register that nothing wrote; a value left the branch or builder it was made in");
            foreach (var label in i.Sources.OfType<LabelOperand>())
                if (!labels.Contains(label.Name)) throw Fail($"jumps to {label.Name}, which does not exist");
            if (Uniform.Contains(i.Opcode) && Types.TryGetValue(i.Name.Substring(i.Name.LastIndexOf('.') + 1), out var type))
                foreach (var operand in i.Destinations.Concat(i.Sources).OfType<RegisterOperand>())
                    if (!Fits(operand.Register.Class, type)) throw Fail($"has an operand in a {operand.Register.Class} register");
            foreach (var register in i.Writes) written.Add(register);

            PtxException Fail(string what) => new($"kernel '{kernel}': {i.Name} {what}");
        }
    }

    /// <summary>Opcodes all of whose register operands have the type of the last word.</summary>
    private static readonly HashSet<string> Uniform =
    [
        "add", "sub", "fma", "div", "rem", "min", "max", "neg", "abs", "and", "or", "xor", "not", "sqrt", "rcp", "rsqrt", "ex2", "lg2",
        "tanh",
    ];

    private static readonly Dictionary<string, ScalarType> Types = new ScalarType[]
    {
        ScalarType.Pred, ScalarType.B16, ScalarType.U16, ScalarType.S16, ScalarType.F16, ScalarType.BF16, ScalarType.B32, ScalarType.U32,
        ScalarType.S32, ScalarType.F16x2, ScalarType.BF16x2, ScalarType.F32, ScalarType.B64, ScalarType.U64, ScalarType.S64, ScalarType.F64,
    }.ToDictionary(t => t.Suffix);

    /// <summary>Untyped registers hold anything of their size; untyped opcodes read anything of their size.</summary>
    private static bool Fits(RegisterClass cls, ScalarType type) => cls switch
    {
        RegisterClass.Pred => type.Class == RegisterClass.Pred,
        RegisterClass.B16 => type.Bits == 16,
        RegisterClass.B32 => type.Bits == 32,
        RegisterClass.B64 => type.Bits == 64,
        RegisterClass.F32 => type.Class == RegisterClass.F32 || type == ScalarType.B32,
        _ => type.Class == RegisterClass.F64 || type == ScalarType.B64,
    };
}
