using System.Collections;
using System.Reflection;
using System.Text;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Fuzz.Inputs;

/// <summary>A syntax tree as text without its places: what two texts that say the same have in common.</summary>
internal static class SyntaxShape
{
    private static readonly Dictionary<Type, PropertyInfo[]> Known = [];

    public static string Of(FileSyntax file)
    {
        var text = new StringBuilder();
        foreach (var declaration in file.Declarations) Append(text, declaration);
        // A comment may move; none may get lost.
        foreach (var comment in file.Comments.Select(c => string.Concat(c.Text.Where(x => !char.IsWhiteSpace(x)))).Order(StringComparer.Ordinal)) text.Append('\n').Append(comment);
        return text.ToString();
    }

    private static void Append(StringBuilder text, object? value)
    {
        switch (value)
        {
            case null or SourceSpan:
                break;
            // The blanks between a number and its unit are layout.
            case QuantitySyntax quantity:
                text.Append(string.Concat(quantity.Text.Where(c => c is not (' ' or '\t'))));
                break;
            case SyntaxNode or ChainLink:
                text.Append(value.GetType().Name).Append('(');
                foreach (var property in PropertiesOf(value.GetType())) Append(text, property.GetValue(value));
                text.Append(')');
                break;
            case string word:
                text.Append('<').Append(word).Append('>');
                break;
            case IEnumerable items:
                text.Append('[');
                foreach (var item in items) Append(text, item);
                text.Append(']');
                break;
            default:
                text.Append(value);
                break;
        }
    }

    private static PropertyInfo[] PropertiesOf(Type type)
    {
        if (!Known.TryGetValue(type, out var found)) Known[type] = found = [.. type.GetProperties().Where(p => p.Name != "EqualityContract" && p.GetIndexParameters().Length == 0)];
        return found;
    }
}
