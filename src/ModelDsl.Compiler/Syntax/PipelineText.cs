using System.Collections.Immutable;
using Sprache;

namespace ModelDsl.Compiler.Syntax;

/// <summary>One pass of a pipeline as it is written: its name and its options, in order.</summary>
public sealed record PassText(string Name, ImmutableArray<PassOption> Options);

public sealed record PassOption(string Name, string Value);

/// <summary>Reads <c>"fuse,place-precision(policy=fp8),select-kernels"</c>.</summary>
public static class PipelineText
{
    private static readonly Parser<string> Name =
        from first in Parse.Letter.Once().Text()
        from rest in Parse.LetterOrDigit.Or(Parse.Chars('-', '_')).Many().Text()
        select first + rest;

    private static readonly Parser<PassOption> Option =
        from name in Name.Token()
        from sign in Parse.Char('=')
        from value in Parse.CharExcept(",()=").AtLeastOnce().Text()
        select new PassOption(name, value.Trim());

    private static readonly Parser<IEnumerable<PassOption>> Options =
        from open in Parse.Char('(')
        from options in Option.DelimitedBy(Parse.Char(',')).Or(Parse.Return(Enumerable.Empty<PassOption>()))
        from blanks in Parse.WhiteSpace.Many()
        from close in Parse.Char(')')
        select options;

    private static readonly Parser<PassText> Pass =
        from name in Name.Token()
        from options in Options.Or(Parse.Return(Enumerable.Empty<PassOption>())).Token()
        select new PassText(name, options.ToImmutableArray());

    private static readonly Parser<IEnumerable<PassText>> Pipeline = Pass.DelimitedBy(Parse.Char(','));

    /// <summary>Null when the text is no pipeline; <paramref name="error"/> then says where reading stopped (from 1) and why.</summary>
    public static ImmutableArray<PassText>? TryParse(string text, out string? error)
    {
        error = null;
        if (text.Trim().Length == 0) return ImmutableArray<PassText>.Empty;
        var result = Pipeline.End().TryParse(text);
        if (result.WasSuccessful) return result.Value.ToImmutableArray();
        error = $"character {result.Remainder.Column} of '{text}': expected pass names with options, "
            + "such as fuse,place-precision(policy=fp8)";
        return null;
    }
}
