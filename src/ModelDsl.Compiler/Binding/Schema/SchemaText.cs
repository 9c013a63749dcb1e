using System.Text;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>The tables as text: <c>dsmc explain model.attention.q_rank</c>, and of a whole block.</summary>
public static class SchemaText
{
    private const int Width = 16;

    /// <summary>What stands at a path of names; null, and a hint if one is near, when there is nothing.</summary>
    public static string? Explain(string path, out string? hint)
    {
        var names = path.Split('.');
        hint = null;
        if (Schemas.ByKind(names[0]) is not { } block)
        {
            hint = Spelling.DidYouMean(names[0], Schemas.All.Select(s => s.Name));
            return null;
        }

        for (var i = 1; i < names.Length; i++)
        {
            if (block.Child(names[i]) is { } child)
            {
                block = child.Block;
                continue;
            }

            if (i == names.Length - 1 && block.Attribute(names[i]) is { } row) return Attribute(path, row);
            if (i == names.Length - 1 && block.Step(names[i]) is { } step) return Step(path, step);
            hint = block.Attribute(names[i]) is not null
                ? $"'{names[i]}' is an attribute and holds nothing"
                : Spelling.DidYouMean(names[i], block.Attributes.Select(a => a.Name).Concat(block.Blocks.Select(b => b.Block.Name))
                    .Concat(block.Steps.Select(s => s.Name)));
            return null;
        }
        return Block(path, block);
    }

    /// <summary>What may be written inside the block at a path: names for completion, with their documentation.</summary>
    public static IEnumerable<(string Name, string Kind, string Doc)> Completions(string path)
    {
        var names = path.Split('.');
        var block = Schemas.ByKind(names[0]);
        foreach (var name in names.Skip(1)) block = block?.Child(name)?.Block;
        if (block is null) yield break;
        foreach (var row in block.Attributes) yield return (row.Name, "attribute", row.Doc);
        foreach (var child in block.Blocks) yield return (child.Block.Name, "block", child.Block.Doc);
        foreach (var step in block.Steps) yield return (step.Name, "step", step.Doc);
    }

    private static string Attribute(string path, AttributeSchema row)
    {
        var text = new StringBuilder($"{path}: {row.Doc}\n\n");
        text.Append($"  type     {row.Type.Description}{Limits(row.Type)}\n");
        text.Append($"  default  {(row.Required ? "must be given" : row.Optional ? "may be absent" : row.Default)}\n");
        if (row.Type is ChoiceType choice)
            foreach (var signature in choice.Choices.Where(c => c.Doc.Length > 0 || !c.Parameters.IsEmpty))
                Signature(text, signature);
        return text.ToString();
    }

    private static string Step(string path, Signature step)
    {
        var text = new StringBuilder($"{path}: {step.Doc}\n");
        Signature(text, step);
        return text.ToString();
    }

    private static void Signature(StringBuilder text, Signature signature)
    {
        text.Append($"\n  {signature.Example}: {signature.Doc}\n");
        foreach (var parameter in signature.Parameters)
            text.Append("    ").Append(parameter.Name.PadRight(Width)).Append(parameter.Doc)
                .Append(parameter.Default is null or "none" ? "" : $"; default {parameter.Default}").Append('\n');
    }

    private static string Block(string path, BlockSchema block)
    {
        var text = new StringBuilder($"{path}: {block.Doc}\n");
        if (block.Label is LabelRule.Kind kind) text.Append($"\n  label    {string.Join(", ", kind.Words)}\n");
        if (block.Label is LabelRule.Range) text.Append("\n  label    a range, first..last, or one number\n");
        if (!block.Attributes.IsEmpty) text.Append('\n');
        foreach (var row in block.Attributes)
            text.Append("  ").Append(row.Name.PadRight(Width)).Append(row.Doc)
                .Append(row.Required || row.Optional ? "" : $"; default {row.Default}")
                .Append(row.Required ? "; must be given" : "").Append('\n');
        if (!block.Blocks.IsEmpty) text.Append('\n');
        foreach (var child in block.Blocks)
            text.Append("  ").Append((child.Block.Name + " { }").PadRight(Width)).Append(child.Block.Doc).Append('\n');
        if (!block.Steps.IsEmpty) text.Append('\n');
        foreach (var step in block.Steps)
            text.Append("  ").Append((step.Name + "( )").PadRight(Width)).Append(step.Doc).Append('\n');
        return text.ToString();
    }

    private static string Limits(SchemaType type) => type is IntegerType integer
        ? $", from {Catalogue.Count(integer.Minimum)} to {Catalogue.Count(integer.Maximum)}"
        : "";
}
