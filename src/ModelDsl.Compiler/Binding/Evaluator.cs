using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Computes expressions. Each problem is reported once, where it arises, and yields a <see cref="BadValue"/>.</summary>
internal sealed class Evaluator(DiagnosticBag diagnostics)
{
    /// <summary>Names within names within brackets; a stack has an end.</summary>
    private const int MaximumDepth = 400;

    private readonly Dictionary<string, ExpressionSyntax> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<ExpressionSyntax, Value?> _known = new(ReferenceComparer.Instance);
    private readonly List<Dictionary<string, ExpressionSyntax>> _scopes = new();
    private int _depth;
    private bool _namesMeanThemselves;

    public IEnumerable<string> Parameters => _parameters.Keys;

    public void Define(string name, ExpressionSyntax value) => _parameters[name] = value;

    /// <summary>Computes the parameters nobody used, so that their errors are reported too.</summary>
    public void EvaluateParameters()
    {
        foreach (var name in _parameters.Keys.ToArray())
            if (!diagnostics.IsFull)
                Named(name, _parameters[name], _parameters[name].Span);
    }

    /// <summary>Makes the attributes of a block usable in arithmetic within it: <c>width = hidden * 8 / 3</c>.</summary>
    public void Enter(IEnumerable<EntrySyntax> entries)
    {
        // The same expression may mean something else in a variant that overrides what it refers to.
        if (_scopes.Count == 0) _known.Clear();
        var scope = new Dictionary<string, ExpressionSyntax>(StringComparer.Ordinal);
        foreach (var attribute in entries.OfType<AttributeSyntax>()) scope[attribute.Name.Text] = attribute.Value;
        _scopes.Add(scope);
    }

    public void Leave() => _scopes.RemoveAt(_scopes.Count - 1);

    /// <summary>Binds what the schema says and not the user: a parameter called <c>false</c> changes nothing there.</summary>
    public T WithoutNames<T>(Func<T> bind)
    {
        var before = _namesMeanThemselves;
        _namesMeanThemselves = true;
        try
        {
            return bind();
        }
        finally
        {
            _namesMeanThemselves = before;
        }
    }

    /// <summary>Computes a value that must be a number: here names of attributes in sight and rounding functions count too.</summary>
    public Value EvaluateNumber(ExpressionSyntax expression)
    {
        _depth++;
        var value = Number(expression);
        _depth--;
        return value;
    }

    private Value Number(ExpressionSyntax expression)
    {
        switch (expression)
        {
            case ReferenceSyntax reference when !_namesMeanThemselves && !_parameters.ContainsKey(reference.Name) && InScope(reference.Name) is { } attribute:
                return Named(reference.Name, attribute, reference.Span);
            case CallSyntax call when Rounding.TryGetValue(call.Name.Text, out var round):
                return Round(call, round);
            case GroupSyntax group:
                return EvaluateNumber(group.Inner) with { Span = group.Span };
            default:
                return Evaluate(expression);
        }
    }

    public Value Evaluate(ExpressionSyntax expression) => expression switch
    {
        QuantitySyntax q => Number(q),
        StringSyntax s => new TextValue(s.Span, s.Value),
        ReferenceSyntax r => !_namesMeanThemselves && _parameters.TryGetValue(r.Name, out var value) ? Named(r.Name, value, r.Span) : new WordValue(r.Span, r.Name),
        CallSyntax c => new CallValue(c.Span, c.Name, c.Arguments),
        ListSyntax l => new ListValue(l.Span, l.Items.Select(Evaluate).ToImmutableArray()),
        RangeSyntax r => new RangeValue(r.Span, EvaluateNumber(r.First), EvaluateNumber(r.Last)),
        ChainSyntax c => Chain(c),
        NegationSyntax n => Operand(n.Operand) is { } number
            ? new NumberValue(n.Span, number.Quantity with { Value = -number.Quantity.Value })
            : new BadValue(n.Span),
        GroupSyntax g => Evaluate(g.Inner) with { Span = g.Span },
        _ => Bad(expression.Span),
    };

    private BadValue Bad(SourceSpan span)
    {
        diagnostics.Poison();
        return new BadValue(span);
    }

    private static readonly Dictionary<string, Func<double, double>> Rounding = new(StringComparer.Ordinal)
    {
        ["ceil"] = Math.Ceiling,
        ["floor"] = Math.Floor,
        ["round"] = x => Math.Round(x, MidpointRounding.AwayFromZero),
    };

    /// <summary><c>ceil(x)</c> to a whole number, <c>ceil(x, 128)</c> to a multiple.</summary>
    private Value Round(CallSyntax call, Func<double, double> round)
    {
        var operands = call.Arguments.Select(a => Operand(a.Value)).ToArray();
        if (operands.Length is < 1 or > 2)
        {
            diagnostics.Add(Catalogue.WrongType(call.Span, call.Name.Text, "a function of a number and a multiple",
                $"given {operands.Length} values"));
            return new BadValue(call.Span);
        }

        if (operands.Any(o => o is null)) return new BadValue(call.Span);
        var step = operands.Length == 2 ? operands[1]!.Quantity.Value : 1;
        var value = operands[0]!.Quantity;
        if (step != 0) return new NumberValue(call.Span, value with { Value = round(value.Value / step) * step });
        diagnostics.Add(Catalogue.DivisionByZero(call.Arguments[1].Span));
        return new BadValue(call.Span);
    }

    private ExpressionSyntax? InScope(string name)
    {
        for (var i = _scopes.Count - 1; i >= 0; i--)
            if (_scopes[i].TryGetValue(name, out var value))
                return value;
        return null;
    }

    private Value Named(string name, ExpressionSyntax expression, SourceSpan use)
    {
        if (_known.TryGetValue(expression, out var value))
        {
            // Null marks a value whose computation is under way.
            if (value is BadValue) return Bad(use);
            if (value is not null) return value with { Span = use };
            diagnostics.Add(Catalogue.CyclicParameter(use, name));
            return new BadValue(use);
        }

        if (_depth >= MaximumDepth)
        {
            diagnostics.Add(Catalogue.ChainTooLong(use, name, MaximumDepth / 2));
            return new BadValue(use);
        }

        _known[expression] = null;
        value = EvaluateNumber(expression);
        _known[expression] = value;
        return value with { Span = use };
    }

    private Value Number(QuantitySyntax syntax)
    {
        if (Quantities.TryParse(syntax.Text, out var problem) is { } quantity)
        {
            if (!double.IsInfinity(quantity.Value)) return new NumberValue(syntax.Span, quantity);
            problem = new QuantityProblem(QuantityFault.TooLarge, syntax.Text);
        }

        var offset = syntax.Text.LastIndexOf(problem.Text, StringComparison.Ordinal);
        var at = offset < 0 ? syntax.Span : syntax.Span with { Start = syntax.Span.Start + offset, Length = problem.Text.Length };
        diagnostics.Add(problem.Fault switch
        {
            QuantityFault.UnknownUnit or QuantityFault.UnknownSuffix => Catalogue.UnknownUnit(at, problem.Text, UnitHint(problem.Text)),
            QuantityFault.TooLarge => Catalogue.NumberTooLarge(syntax.Span),
            _ => Catalogue.BadNumber(syntax.Span, syntax.Text),
        });
        return new BadValue(syntax.Span);
    }

    private string? UnitHint(string unit)
    {
        var first = unit.Split('/');
        if (first.Length == 2
            && (_parameters.ContainsKey(first[1]) || (Units.TryUnit(first[0], out _, out _) && !Units.TryUnit(first[1], out _, out _))))
            return "a '/' that divides has a blank on each side";
        return Spelling.DidYouMean(unit, Units.Names) ?? "a word behind a number is its unit; entries on one line are separated by commas";
    }

    private Value Chain(ChainSyntax chain)
    {
        if (Operand(chain.First) is not { } first) return Skip(chain);
        var result = first.Quantity;
        for (var i = 0; i < chain.Rest.Length; i++)
        {
            var link = chain.Rest[i];
            if (Operand(link.Operand) is not { } operand) return new BadValue(chain.Span);
            if (Apply(link, result, operand.Quantity) is not { } next) return new BadValue(chain.Span);
            result = next;
        }
        return new NumberValue(chain.Span, result);
    }

    /// <summary>The first operand is bad; the others are looked at for errors of their own.</summary>
    private BadValue Skip(ChainSyntax chain)
    {
        foreach (var link in chain.Rest) Operand(link.Operand);
        return new BadValue(chain.Span);
    }

    private Quantity? Apply(ChainLink link, Quantity left, Quantity right)
    {
        if (link.Operator is '+' or '-' && left.Dimension != right.Dimension)
        {
            diagnostics.Add(Catalogue.OperatorDimension(
                link.OperatorSpan, link.Operator, left.Dimension.ToString(), right.Dimension.ToString()));
            return null;
        }

        if (link.Operator == '/' && right.Value == 0)
        {
            diagnostics.Add(Catalogue.DivisionByZero(link.OperatorSpan));
            return null;
        }

        var result = link.Operator switch
        {
            '+' => left with { Value = left.Value + right.Value },
            '-' => left with { Value = left.Value - right.Value },
            '*' => new Quantity(left.Value * right.Value, left.Dimension * right.Dimension),
            _ => new Quantity(left.Value / right.Value, left.Dimension / right.Dimension),
        };
        if (!double.IsInfinity(result.Value)) return result;
        diagnostics.Add(Catalogue.NumberTooLarge(link.OperatorSpan));
        return null;
    }

    private NumberValue? Operand(ExpressionSyntax expression)
    {
        switch (EvaluateNumber(expression))
        {
            case NumberValue number:
                return number;
            case WordValue word:
                var names = _parameters.Keys.Concat(_scopes.SelectMany(s => s.Keys));
                diagnostics.Add(Catalogue.UnknownParameter(word.Span, word.Word, Spelling.DidYouMean(word.Word, names)));
                return null;
            case BadValue:
                return null;
            case var other:
                diagnostics.Add(Catalogue.WrongType(other.Span, "an operand", "a number", other.Description));
                return null;
        }
    }
}

/// <summary>Tells syntax nodes apart by identity: two nodes that read the same are still two places.</summary>
internal sealed class ReferenceComparer : IEqualityComparer<object>
{
    public static ReferenceComparer Instance { get; } = new();

    bool IEqualityComparer<object>.Equals(object? x, object? y) => ReferenceEquals(x, y);

    int IEqualityComparer<object>.GetHashCode(object obj) => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(obj);
}
