using System.Globalization;
using System.Text;

namespace ModelDsl.Ptx.Instructions;

/// <summary>Instructions to text.</summary>
internal static class PtxPrinter
{
    private static readonly string[] Prefixes = ["%p", "%rs", "%r", "%rd", "%f", "%fd"];
    private static readonly string[] Declarations = [".pred", ".b16", ".b32", ".b64", ".f32", ".f64"];

    public static string Print(PtxModule module)
    {
        var text = new StringBuilder();
        text.Append($".version {module.Target.IsaVersion}\n.target {module.Target.Name}\n.address_size 64\n");
        if (module.Kernels.Any(k => k.UsesDynamicShared)) text.Append($"\n.extern .shared .align {module.Kernels.Max(k => k.DynamicSharedAlign)} .b8 {PtxModule.DynamicShared}[];\n");
        var files = new List<string>();
        foreach (var kernel in module.Kernels) Print(text, kernel, files);
        for (var n = 0; n < files.Count; n++) text.Append($"\n.file {n + 1} \"{files[n]}\"");
        if (files.Count > 0) text.Append('\n');
        return text.ToString();
    }

    /// <param name="files">That lines were of, so far.</param>
    private static void Print(StringBuilder text, PtxKernel kernel, List<string> files)
    {
        var numbers = new Dictionary<Register, int>();
        var counts = new int[6];
        int Number(Register register)
        {
            if (!numbers.TryGetValue(register, out var number)) numbers[register] = number = ++counts[(int)register.Class];
            return number;
        }

        var body = new StringBuilder();
        SourceLine? last = null;
        foreach (var statement in kernel.Statements)
        {
            if (statement is Instruction { Line: { } line } && line != last) body.Append($"    .loc {FileNumber(line.File, files)} {line.Line} 1\n");
            last = (statement as Instruction)?.Line ?? last;
            body.Append(Line(statement, Number)).Append('\n');
        }

        text.Append($"\n.visible .entry {kernel.Name}(");
        text.Append(string.Join(",", kernel.Parameters.Select(p => "\n    .param " + (p.Bytes is { } bytes ? $".align 64 .{p.Type} {p.Name}[{bytes}]" : $".{p.Type} {p.Name}"))));
        text.Append(kernel.Parameters.Count == 0 ? ")\n" : "\n)\n");
        if (kernel.LaunchBounds is { } bounds) text.Append(bounds).Append('\n');
        text.Append("{\n");
        for (var c = 0; c < 6; c++)
            if (counts[c] > 0) text.Append($"    .reg {Declarations[c],-5} {Prefixes[c]}<{counts[c] + 1}>;\n");
        foreach (var (name, bytes, align) in kernel.SharedVariables) text.Append($"    .shared .align {align} .b8 {name}[{bytes}];\n");
        text.Append('\n').Append(body).Append("}\n");
    }

    private static int FileNumber(string file, List<string> files)
    {
        if (!files.Contains(file)) files.Add(file);
        return files.IndexOf(file) + 1;
    }

    private static string Line(Statement statement, Func<Register, int> number) => statement switch
    {
        Comment c => "    // " + c.Text.Replace("\n", "\n    // "),
        Blank => "",
        Label l => l.Name + ":",
        Pragma p => $"    .pragma \"{p.Text}\";",
        Instruction i => Line(i, number),
        _ => throw new PtxException($"no text for {statement.GetType().Name}"),
    };

    private static string Line(Instruction i, Func<Register, int> number)
    {
        var guard = i.Guard is { } g ? $"@{(g.Negated ? "!" : "")}{Name(g.Predicate, number)} " : "";
        var operands = string.Join(", ", i.Destinations.Concat(i.Sources).Select(o => Text(o, number)));
        var name = guard + i.Name;
        return "    " + (operands.Length == 0 ? name : name.PadRight(19) + " " + operands) + ";";
    }

    private static string Name(Register register, Func<Register, int> number) =>
        Prefixes[(int)register.Class] + number(register).ToString(CultureInfo.InvariantCulture);

    private static string Text(Operand operand, Func<Register, int> number) => operand switch
    {
        RegisterOperand r => Name(r.Register, number),
        ImmediateOperand i => Constant(i),
        SymbolOperand s => s.Name,
        SpecialOperand s => s.Name,
        LabelOperand l => l.Name,
        VectorOperand v => "{" + string.Join(", ", v.Items.Select(o => Text(o, number))) + "}",
        PairOperand p => Text(p.First, number) + "|" + Text(p.Second, number),
        TileOperand t => "[" + Text(t.Map, number) + ", {" + string.Join(", ", t.Coordinates.Select(o => Text(o, number))) + "}]",
        AddressOperand a => "[" + Text(a.Base, number) + Offset(a.Offset) + "]",
        _ => throw new PtxException($"no text for {operand.GetType().Name}"),
    };

    private static string Offset(long offset) => offset == 0 ? "" : offset.ToString("+0;+-0", CultureInfo.InvariantCulture);

    private static string Constant(ImmediateOperand i) => i.Type.Suffix switch
    {
        "f32" => "0f" + i.Bits.ToString("X8", CultureInfo.InvariantCulture),
        "f64" => "0d" + i.Bits.ToString("X16", CultureInfo.InvariantCulture),
        "s32" => ((int)i.Bits).ToString(CultureInfo.InvariantCulture),
        "s64" => ((long)i.Bits).ToString(CultureInfo.InvariantCulture),
        _ when i.Bits < 10 || i.Type.Suffix[0] == 'u' => i.Bits.ToString(CultureInfo.InvariantCulture),
        _ => "0x" + i.Bits.ToString("X", CultureInfo.InvariantCulture),
    };
}
