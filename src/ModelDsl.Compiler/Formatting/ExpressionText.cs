using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Formatting;

/// <summary>Expressions and headers in the one way we write them.</summary>
internal static class ExpressionText
{
    public static string Of(ExpressionSyntax expression) => expression switch
    {
        QuantitySyntax q => string.Join(" ", q.Text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)),
        StringSyntax s => $"\"{s.Value}\"",
        ReferenceSyntax r => r.Name,
        CallSyntax c => $"{c.Name.Text}({Of(c.Arguments)})",
        ListSyntax l => $"[{string.Join(", ", l.Items.Select(Of))}]",
        RangeSyntax r => $"{Of(r.First)}..{Of(r.Last)}",
        ChainSyntax c => Of(c.First) + string.Concat(c.Rest.Select(k => $" {k.Operator} {Of(k.Operand)}")),
        NegationSyntax n => "-" + Of(n.Operand),
        GroupSyntax g => $"({Of(g.Inner)})",
        _ => "",
    };

    public static string Of(IEnumerable<ArgumentSyntax> arguments) =>
        string.Join(", ", arguments.Select(a => a.Name is null ? Of(a.Value) : $"{a.Name.Text}: {Of(a.Value)}"));

    /// <summary>What stands before the brace: name and label.</summary>
    public static string Header(BlockSyntax block) => block.Label is null ? block.Name.Text : $"{block.Name.Text} {Of(block.Label)}";

    public static string Header(ObjectSyntax item) =>
        $"{item.Kind.Text} {item.Name.Text}" + (item.Base is null ? "" : $" from {item.Base.Text}");

    /// <summary>An entry on one line.</summary>
    public static string Of(EntrySyntax entry) => entry switch
    {
        AttributeSyntax a => $"{a.Name.Text} = {Of(a.Value)}",
        StepSyntax s => $"{s.Name.Text}({Of(s.Arguments)})",
        BlockSyntax b => $"{Header(b)} {Body(b)}",
        _ => "",
    };

    public static string Body(BlockSyntax block) => block.Entries.IsEmpty ? "{ }" : $"{{ {string.Join(", ", block.Entries.Select(Of))} }}";
}
