using System.Globalization;
using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Checks one value against the type its row asks for. Null: it has been reported.</summary>
internal sealed partial class ValueBinder(Evaluator evaluator, DiagnosticBag diagnostics)
{
    private const double WholeTolerance = 1e-9;

    public BoundValue? Bind(SchemaType type, ExpressionSyntax expression, string name) => type switch
    {
        IntegerType integer => Integer(integer, expression, name),
        NumberType number => Number(number, expression, name),
        TokensOrStepsType => Stretch(expression, name),
        BooleanType => Boolean(expression, name),
        ReferenceType reference => Reference(reference, expression, name),
        ListType list => List(list, expression, name),
        ChoiceType choice => Choice(choice, expression, name),
        _ => throw new InvalidOperationException($"no binding for {type}"),
    };

    /// <summary>The default of a row, as if it had been written.</summary>
    public BoundValue? Default(SchemaType type, string? text, string name)
    {
        if (text is null || (text == "none" && type is not ChoiceType { HasNone: true })) return null;
        var value = evaluator.WithoutNames(() => Bind(type, DsmSyntax.ParseValue(SourceText.From("", text)).Value, name));
        return value is null ? null : value with { Span = SourceSpan.None };
    }

    private BoundNumber? Integer(IntegerType type, ExpressionSyntax expression, string name)
    {
        if (Measured(type.Unit, type, expression, name) is not { } value) return null;
        var whole = Math.Round(value.Value);
        if (Math.Abs(whole - value.Value) > WholeTolerance * Math.Max(1, Math.Abs(whole)))
            return Report(Catalogue.NotWhole(value.Span, name, Show(value.Value)));
        if (whole < type.Minimum || whole > type.Maximum)
            return Report(Catalogue.OutOfRange(value.Span, name, Show(whole), whole < type.Minimum
                ? $"at least {Catalogue.Count(type.Minimum)}"
                : $"at most {Catalogue.Count(type.Maximum)}"));
        return value with { Value = whole };
    }

    private BoundNumber? Number(NumberType type, ExpressionSyntax expression, string name)
    {
        if (Measured(type.Unit, type, expression, name) is not { } value) return null;
        var tooSmall = type.AboveMinimum ? value.Value <= type.Minimum : value.Value < type.Minimum;
        if (!tooSmall && value.Value <= type.Maximum) return value;
        var bound = tooSmall
            ? (type.AboveMinimum ? "more than " : "at least ") + Show(type.Minimum)
            : "at most " + Show(type.Maximum);
        return Report(Catalogue.OutOfRange(value.Span, name, Show(value.Value), bound));
    }

    private BoundNumber? Stretch(ExpressionSyntax expression, string name)
    {
        if (Numeric(new TokensOrStepsType(), expression, name) is not { } value) return null;
        if (value.Quantity.Dimension != Dimension.Token && value.Quantity.Dimension != Dimension.Step)
            return Report(Catalogue.WrongDimension(value.Span, name, "in tokens or steps", In(value.Quantity.Dimension),
                "add the unit: tokens, or steps"));
        if (value.Quantity.Value <= 0) return Report(Catalogue.OutOfRange(value.Span, name, Show(value.Quantity.Value), "more than 0"));
        return new BoundNumber(value.Span, value.Quantity.Value, value.Quantity.Dimension);
    }

    /// <summary>A number whose unit is the wanted one. What is counted may go without a unit.</summary>
    private BoundNumber? Measured(Dimension unit, SchemaType type, ExpressionSyntax expression, string name)
    {
        if (Numeric(type, expression, name) is not { } value) return null;
        var given = value.Quantity.Dimension;
        if (given == unit || (given == Dimension.None && unit.IsCount)) return new BoundNumber(value.Span, value.Quantity.Value, unit);
        var hint = given == Dimension.None ? $"add a unit, such as {Example(unit)}" : unit == Dimension.None ? "leave out the unit" : null;
        return Report(Catalogue.WrongDimension(value.Span, name, In(unit), In(given), hint));
    }

    private NumberValue? Numeric(SchemaType type, ExpressionSyntax expression, string name)
    {
        switch (evaluator.EvaluateNumber(expression))
        {
            case NumberValue number:
                return number;
            case BadValue:
                return null;
            case var other:
                diagnostics.Add(Catalogue.WrongType(other.Span, name, type.Description, other.Description));
                return null;
        }
    }

    private BoundFlag? Boolean(ExpressionSyntax expression, string name)
    {
        switch (evaluator.Evaluate(expression))
        {
            case WordValue { Word: "true" or "false" } word:
                return new BoundFlag(word.Span, word.Word == "true");
            case BadValue:
                return null;
            case var other:
                diagnostics.Add(Catalogue.WrongType(other.Span, name, "true or false", other.Description));
                return null;
        }
    }

    private BoundReference? Reference(ReferenceType type, ExpressionSyntax expression, string name)
    {
        if (expression is ReferenceSyntax reference) return new BoundReference(reference.Span, reference.Name);
        if (evaluator.Evaluate(expression) is var value and not BadValue)
            diagnostics.Add(Catalogue.WrongType(value.Span, name, type.Description, value.Description));
        return null;
    }

    private BoundList? List(ListType type, ExpressionSyntax expression, string name)
    {
        if (expression is ListSyntax list)
        {
            var items = list.Items.Select(item => Bind(type.Item, item, name)).ToArray();
            return items.Any(i => i is null) ? null : new BoundList(list.Span, items!);
        }

        if (evaluator.Evaluate(expression) is var value and not BadValue)
            diagnostics.Add(Catalogue.WrongType(value.Span, name, type.Description, value.Description));
        return null;
    }

    private BoundNumber? Report(Diagnostic diagnostic)
    {
        diagnostics.Add(diagnostic);
        return null;
    }

    private static string Show(double value) =>
        value == Math.Round(value) && Math.Abs(value) < 1e15 ? Catalogue.Count((long)value)
            : value.ToString("G6", CultureInfo.InvariantCulture);

    private static string In(Dimension unit) => unit == Dimension.None ? unit.ToString() : $"in {unit}";

    private static string Example(Dimension unit) =>
        unit == Dimension.BytePerSecond ? "GB/s" : unit == Dimension.Second ? "s or min" : unit == Dimension.Byte ? "GB" : unit.ToString();
}
