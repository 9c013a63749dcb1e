using System.Text;
using ModelDsl.Compiler.Binding.Schema;

namespace ModelDsl.Fuzz.Inputs;

/// <summary>Writes .dsm text by the schema: right words in right places with values that may be anything.</summary>
internal sealed class DsmGrammar(Random random)
{
    private static readonly string[] Names = ["A", "B", "C", "hidden", "x", "fp8", "bf16", "con", "class", "model", "use", "param", "from", "_", "n0"];
    private static readonly string[] Amounts =
    [
        "0", "1", "2", "3", "4", "8", "16", "64", "128", "96", "7168", "0.5", "1e-6", "2.5e3", "14.8T tokens", "4096 tokens", "160 GB/s", "2 $/gpu_hour", "95 %", "10 min",
        "8 gpus", "2000 steps", "1e999", "9999999999999999", "1_000", "3.3 us", "80GB", "4 parsecs", "64Ki", "1f1b", "0.0",
    ];

    private readonly StringBuilder _text = new();

    public string File()
    {
        for (var i = random.Next(3); i > 0; i--) _text.Append(random.Next(4) == 0 ? $"use \"{Pick("self.dsm", "other.dsm", "../x.dsm", "", "\t")}\"\n" : $"param {Name()} = {Expression(4)}\n");
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var schema = Schemas.All[random.Next(3) == 0 ? random.Next(Schemas.All.Length) : 0];
            _text.Append($"{schema.Name} {Name()}{(random.Next(4) == 0 ? $" from {Name()}" : "")} ");
            Body(schema, 0);
        }

        return _text.ToString();
    }

    private void Body(BlockSchema schema, int depth)
    {
        _text.Append("{\n");
        foreach (var attribute in schema.Attributes)
            if (random.Next(12) != 0 && (attribute.Required || random.Next(2) == 0)) _text.Append($"{attribute.Name} = {Value(attribute.Type)}\n");
        foreach (var child in schema.Blocks)
            for (var times = Times(child); times > 0 && depth < 6; times--)
            {
                _text.Append(child.Block.Name).Append(' ').Append(Label(child.Block.Label)).Append(' ');
                Body(child.Block, depth + 1);
            }
        foreach (var step in schema.Steps)
            if (random.Next(2) == 0) _text.Append(Call(step)).Append('\n');
        if (random.Next(10) == 0) _text.Append($"{Name()} = {Expression(3)}\n");
        if (random.Next(20) == 0) Body(schema, depth + 1);
        _text.Append("}\n");
    }

    private int Times(ChildSchema child) => child.Required ? random.Next(12) == 0 ? 0 : child.Repeats ? random.Next(1, 3) : 1 : random.Next(2);

    private string Label(LabelRule rule) => rule switch
    {
        LabelRule.Kind kind when random.Next(3) != 0 => kind.Words[random.Next(kind.Words.Length)],
        LabelRule.Range => Pick("0", "0..2", "1..3", "3..1", "0..9999", "0..99999", "2", Expression(2) + ".." + Expression(2)),
        _ => random.Next(12) == 0 ? Expression(2) : "",
    };

    private string Value(SchemaType type) => random.Next(10) == 0 ? Expression(4) : type switch
    {
        IntegerType integer => Pick("1", "2", "4", "16", "32", "64", "128", "160", $"{integer.Minimum}", $"{integer.Maximum}", $"{integer.Minimum - 1}", $"{random.Next(1, 4096)}", Expression(2)),
        NumberType number => Pick("1", "0.5", "1e-6", $"{number.Minimum}", "1e12", Amount()),
        BooleanType => Pick("true", "false", "1"),
        ReferenceType => Name(),
        ListType list => $"[{string.Join(", ", Enumerable.Range(0, random.Next(4)).Select(_ => Value(list.Item)))}]",
        ChoiceType choice => Call(choice.Choices[random.Next(choice.Choices.Length)]),
        _ => Amount(),
    };

    private string Call(Signature signature)
    {
        var given = signature.Parameters.Where(p => p.Required ? random.Next(12) != 0 : random.Next(3) == 0)
            .Select(p => p.Positional ? Value(p.Type) : $"{p.Name}: {Value(p.Type)}").ToArray();
        return given.Length == 0 && signature.Parameters.IsEmpty ? signature.Name : $"{signature.Name}({string.Join(", ", given)})";
    }

    private string Expression(int depth) => depth == 0 ? Amount() : random.Next(9) switch
    {
        0 => $"({Expression(depth - 1)})",
        1 => $"{Expression(depth - 1)} {Pick("+", "-", "*", "/")} {Expression(depth - 1)}",
        2 => "-" + Expression(depth - 1),
        3 => $"[{Expression(depth - 1)}, {Expression(depth - 1)}]",
        4 => $"{Pick("ceil", "floor", "round", Name())}({Expression(depth - 1)}{(random.Next(2) == 0 ? ", " + Expression(depth - 1) : "")})",
        5 => Name(),
        6 => $"{Amount()}..{Amount()}",
        7 => $"\"{Name()}\"",
        _ => Amount(),
    };

    private string Amount() => Amounts[random.Next(Amounts.Length)];

    private string Name() => Names[random.Next(Names.Length)];

    private string Pick(params string[] among) => among[random.Next(among.Length)];
}
