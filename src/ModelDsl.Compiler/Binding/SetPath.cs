using System.Collections.Immutable;
using Sprache;

namespace ModelDsl.Compiler.Binding;

/// <summary>
/// An override from the command line: <c>x=9</c> sets a parameter, <c>Pretrain.schedule.micro_batches=40</c> an attribute.
/// </summary>
/// <param name="Value">Text of the value, an expression of the language.</param>
/// <param name="ValueStart">Where the value starts in the whole text.</param>
public sealed record SetPath(string Text, ImmutableArray<SetStep> Steps, string Value, int ValueStart)
{
    private static readonly Parser<string> Name =
        from first in Parse.Letter.Or(Parse.Char('_')).Once().Text()
        from rest in Parse.LetterOrDigit.Or(Parse.Char('_')).Many().Text()
        select first + rest;

    private static readonly Parser<string> Label =
        from open in Parse.Char('[')
        from text in Parse.CharExcept("[]").AtLeastOnce().Text()
        from close in Parse.Char(']')
        select text.Trim();

    private static readonly Parser<SetStep> Step =
        from name in Name
        from label in Label.Optional()
        select new SetStep(name, label.GetOrDefault());

    private static readonly Parser<IEnumerable<SetStep>> Path = Step.DelimitedBy(Parse.Char('.'));

    /// <summary>Null when the text has no <c>=</c> or its left side is no path.</summary>
    public static SetPath? TryParse(string text)
    {
        var equals = text.IndexOf('=');
        if (equals < 0) return null;
        var path = Path.End().TryParse(text.Substring(0, equals).Trim());
        return path.WasSuccessful ? new SetPath(text, path.Value.ToImmutableArray(), text.Substring(equals + 1), equals + 1) : null;
    }
}

/// <summary>One name of a path, with the label where several blocks share the name: <c>layers[3..60]</c>.</summary>
public sealed record SetStep(string Name, string? Label);
