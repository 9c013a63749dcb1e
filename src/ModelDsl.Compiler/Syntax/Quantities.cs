using System.Globalization;
using Sprache;

namespace ModelDsl.Compiler.Syntax;

/// <summary>A number in base units (bytes, seconds, tokens …) and what it measures.</summary>
public readonly record struct Quantity(double Value, Dimension Dimension)
{
    public static Quantity Number(double value) => new(value, Dimension.None);
}

/// <summary>Reads <c>160 GB/s</c>, <c>14.8T tokens</c>, <c>2 $/gpu_hour</c>, <c>95 %</c>, <c>1e-6</c>.</summary>
public static class Quantities
{
    private static readonly Parser<string> Digits = Parse.Digit.Or(Parse.Char('_')).AtLeastOnce().Text();

    private static readonly Parser<string> Fraction =
        from dot in Parse.Char('.')
        from digits in Digits
        select "." + digits;

    private static readonly Parser<string> Exponent =
        from e in Parse.Chars('e', 'E')
        from sign in Parse.Chars('+', '-').Select(c => c.ToString()).XOr(Parse.Return(""))
        from digits in Parse.Digit.AtLeastOnce().Text()
        select "e" + sign + digits;

    private static readonly Parser<double> Number =
        from whole in Digits
        from fraction in Fraction.Or(Parse.Return(""))
        from exponent in Exponent.Or(Parse.Return(""))
        select double.Parse((whole + fraction + exponent).Replace("_", ""), NumberStyles.Float, CultureInfo.InvariantCulture);

    private static readonly Parser<string> Word = Parse.LetterOrDigit.Or(Parse.Chars('_', '$', '%', '/')).AtLeastOnce().Text();

    private static readonly Parser<Literal> Whole =
        from number in Number
        from attached in Word.Or(Parse.Return(""))
        from blanks in Parse.Chars(' ', '\t').Many()
        from unit in Word.Or(Parse.Return(""))
        select new Literal(number, attached, unit);

    /// <summary>Null and the reason when the text is no quantity.</summary>
    public static Quantity? TryParse(string text, out QuantityProblem problem)
    {
        problem = default;
        var result = Whole.End().TryParse(text.Trim());
        if (!result.WasSuccessful) return Fail(out problem, QuantityFault.Malformed, text);
        var literal = result.Value;
        if (double.IsInfinity(literal.Number)) return Fail(out problem, QuantityFault.TooLarge, text);

        var (factor, unit) = (1.0, literal.Unit);
        if (literal.Attached.Length > 0 && !Units.TrySuffix(literal.Attached, out factor))
        {
            // No suffix, so it must be the unit written close: 80GB.
            if (unit.Length > 0) return Fail(out problem, QuantityFault.UnknownSuffix, literal.Attached);
            (factor, unit) = (1.0, literal.Attached);
        }

        if (unit.Length == 0) return new Quantity(literal.Number * factor, Dimension.None);
        if (!Units.TryUnit(unit, out var scale, out var dimension)) return Fail(out problem, QuantityFault.UnknownUnit, unit);
        return new Quantity(literal.Number * factor * scale, dimension);
    }

    private static Quantity? Fail(out QuantityProblem problem, QuantityFault fault, string text)
    {
        problem = new QuantityProblem(fault, text);
        return null;
    }

    private sealed record Literal(double Number, string Attached, string Unit);
}

public enum QuantityFault
{
    None,
    Malformed,
    TooLarge,
    UnknownSuffix,
    UnknownUnit,
}

/// <param name="Text">The part of the text that is at fault.</param>
public readonly record struct QuantityProblem(QuantityFault Fault, string Text);
