namespace ModelDsl.Fuzz.Inputs;

/// <summary>Writes chat templates: loops, macros, filters, arithmetic that grows.</summary>
internal sealed class JinjaGrammar(Random random)
{
    public string Template() => string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => Statement(3)));

    private string Statement(int depth) => depth == 0 ? Output() : random.Next(14) switch
    {
        0 => $"{{% for {Name()} in {Expression(3)} %}}{Statement(depth - 1)}{{{{ loop.{Pick("index", "first", "last", "previtem", "length", "nextitem", "x")} }}}}{{% endfor %}}",
        1 => $"{{% for m in messages {(random.Next(2) == 0 ? $"if {Expression(2)} " : "")}%}}{Statement(depth - 1)}{{% else %}}{Statement(depth - 1)}{{% endfor %}}",
        2 => $"{{% if {Expression(3)} %}}{Statement(depth - 1)}{{% elif {Expression(2)} %}}x{{% else %}}{Statement(depth - 1)}{{% endif %}}",
        3 => $"{{% set {Name()} = {Expression(4)} %}}",
        4 => $"{{% set ns = namespace(a={Expression(2)}) %}}{{% for i in range({Number()}) %}}{{% set ns.a = ns.a {Pick("+", "*", "~", "**")} {Expression(2)} %}}{{% endfor %}}{{{{ ns.a }}}}",
        5 => $"{{% macro f(a, b={Expression(1)}) %}}{Statement(depth - 1)}{{{{ f({Expression(1)}) }}}}{{% endmacro %}}{{{{ f({Expression(1)}) }}}}",
        6 => $"{{%- set s %}}{Statement(depth - 1)}{{% endset -%}}",
        7 => $"{{# {Name()} #}}{{% raw %}}{{{{ x }}}}{{% endraw %}}",
        8 => $"{{% for a in range({Number()}) %}}{{% for b in range({Number()}) %}}{Statement(0)}{{% {Pick("break", "continue")} %}}{{% endfor %}}{{% endfor %}}",
        9 => Pick("{%", "{{", "%}", "}}", "{% endfor %}", "{% if %}", "{{ }}", "{#", "{% set %}", "{% macro f( %}"),
        _ => Output(),
    };

    private string Output() => $"{{{{ {Expression(4)} }}}}";

    private string Expression(int depth) => depth == 0 ? Atom() : random.Next(12) switch
    {
        0 => $"({Expression(depth - 1)})",
        1 => $"{Expression(depth - 1)} {Pick("+", "-", "*", "/", "//", "%", "**", "~", "and", "or", "==", "!=", "<", ">=", "in", "not in")} {Expression(depth - 1)}",
        2 => $"{Expression(depth - 1)} | {Filter()}",
        3 => $"[{Expression(depth - 1)}, {Expression(depth - 1)}]",
        4 => $"{{{Expression(1)}: {Expression(depth - 1)}}}",
        5 => $"{Expression(depth - 1)}[{Expression(1)}]",
        6 => $"{Expression(depth - 1)}[{Number()}:{Number()}:{Number()}]",
        7 => $"{Expression(depth - 1)}.{Pick("content", "role", "split", "strip", "upper", "items", "get", "startswith", "replace", "format", "x", "join", "append")}({Expression(1)})",
        8 => $"{Expression(depth - 1)} is {Pick("", "not ")}{Pick("defined", "string", "mapping", "none", "divisibleby(0)", "sameas(1)", "iterable", "x")}",
        9 => $"{Expression(depth - 1)} if {Expression(1)} else {Expression(1)}",
        10 => Pick("-", "not ", "+") + Expression(depth - 1),
        _ => Atom(),
    };

    private string Filter() => Pick(
        "tojson", "tojson(indent=100000)", "length", "upper", "trim", "join(',')", "join(x)", "list", "sort", "unique", "reverse", "sum", "first", "last", "map('upper')", "map(attribute='a.b')",
        "select('string')", "selectattr('role', 'equalto', 'user')", "replace('a', 'aaaaaaaaaa')", "replace('', 'x')", "indent(1000)", "int", "float", "round(2)", "abs", "default(1)", "items",
        "dictsort", "batch(0)", "center(100000000)", "string", "escape", "min", "max", "groupby('a')", "wordcount");

    private string Atom() => Pick(
        "messages", "messages[0]", "messages[0].content", "'a'", "'abc' * 1000", "\"\\u00e9\"", "none", "true", "bos_token", "x", "loop", "1.5", "1e400", "[]", "{}", "add_generation_prompt",
        "range(100000)", "range(1000000000)", "strftime_now('%Y')", "namespace(a=1)", "dict(a=1)", "cycler", "raise_exception('no')", "f", Number());

    private string Number() => Pick("0", "1", "-1", "2", "7", "100", "1000", "99999", "1000000000", "9999999999999999999999", "-9223372036854775808");

    private string Name() => Pick("x", "m", "s", "ns", "messages", "loop", "f", "range", "self", "true");

    private string Pick(params string[] among) => among[random.Next(among.Length)];
}
