using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

internal sealed partial class ValueBinder
{
    /// <summary>A step, such as <c>warmup(to: 2.2e-4, over: 2000 steps)</c>.</summary>
    public BoundCall? Step(Signature signature, StepSyntax step) => Arguments(signature, step.Span, step.Name.Span, step.Arguments);

    private BoundValue? Choice(ChoiceType type, ExpressionSyntax expression, string name)
    {
        if (expression is CallSyntax call && type.Choices.FirstOrDefault(c => c.Name == call.Name.Text) is { } called)
            return Arguments(called, call.Span, call.Name.Span, call.Arguments);
        if (expression is ReferenceSyntax word && type.Choices.FirstOrDefault(c => c.Name == word.Name) is { } bare)
            return Arguments(bare, word.Span, word.Span, []);

        var value = type.Number is null ? evaluator.Evaluate(expression) : evaluator.EvaluateNumber(expression);
        switch (value)
        {
            case NumberValue when type.Number is not null:
                return Integer(type.Number, expression, name);
            case WordValue unknown:
                return Unknown(type, unknown.Span, unknown.Word, name);
            case CallValue unknown:
                return Unknown(type, unknown.Name.Span, unknown.Name.Text, name);
            case BadValue:
                return null;
            default:
                return Report(Catalogue.WrongType(value.Span, name, type.Description, value.Description));
        }
    }

    private BoundValue? Unknown(ChoiceType type, SourceSpan at, string word, string name) =>
        Report(Catalogue.UnknownWord(at, word, name, type.Words, Spelling.DidYouMean(word, type.Choices.Select(c => c.Name))));

    private BoundCall? Arguments(Signature signature, SourceSpan span, SourceSpan nameSpan, IReadOnlyList<ArgumentSyntax> arguments)
    {
        var bound = new Dictionary<string, BoundValue>(StringComparer.Ordinal);
        var given = new HashSet<string>(StringComparer.Ordinal);
        var good = true;
        var position = 0;
        foreach (var argument in arguments)
        {
            var parameter = argument.Name is { } name
                ? signature.Parameters.FirstOrDefault(p => p.Name == name.Text)
                : signature.Parameters.Where(p => p.Positional).ElementAtOrDefault(position++);
            if (parameter is null)
            {
                good = false;
                diagnostics.Add(UnknownArgument(signature, argument));
            }
            else if (!given.Add(parameter.Name))
            {
                good = false;
                diagnostics.Add(Catalogue.DuplicateArgument(argument.Span, parameter.Name));
            }
            else if (argument.Value is ReferenceSyntax { Name: "none" } && parameter.Default == "none")
            {
                continue;
            }
            else if (Bind(parameter.Type, argument.Value, parameter.Name) is { } value)
            {
                bound[parameter.Name] = value;
            }
            else
            {
                good = false;
            }
        }

        foreach (var parameter in signature.Parameters.Where(p => !given.Contains(p.Name)))
        {
            if (Default(parameter.Type, parameter.Default, parameter.Name) is { } value) bound[parameter.Name] = value;
            if (!parameter.Required) continue;
            // An argument that was misspelt is not missing as well.
            if (good) diagnostics.Add(Catalogue.MissingArgument(nameSpan, signature.Name, parameter.Name, signature.Example));
            good = false;
        }
        return good ? new BoundCall(span, signature.Name, bound) : null;
    }

    private static Diagnostic UnknownArgument(Signature signature, ArgumentSyntax argument)
    {
        var names = signature.Parameters.Select(p => p.Name).ToArray();
        if (argument.Name is { } name)
            return Catalogue.UnknownArgument(name.Span, signature.Name, $"'{name.Text}'", Spelling.DidYouMean(name.Text, names)
                ?? (names.Length == 0 ? null : "it takes: " + string.Join(", ", names)));
        var named = signature.Parameters.FirstOrDefault(p => !p.Positional);
        var example = named is null ? null : $"write its name, as in {signature.Name}({named.Name}: …)";
        return Catalogue.UnknownArgument(argument.Span, signature.Name, "without a name here", example);
    }
}
