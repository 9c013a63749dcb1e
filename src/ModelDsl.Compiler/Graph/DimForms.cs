using System.Globalization;

namespace ModelDsl.Compiler.Graph;

/// <summary>A size known when the model is compiled.</summary>
public sealed record ConstantDim(long Value) : Dim
{
    public override long Evaluate(Func<DimSymbol, long> valueOf) => Value;

    public override Dim Substitute(DimSymbol symbol, Dim value) => this;

    public override string ToCSharp() => Text;

    protected internal override string Text => Value.ToString(CultureInfo.InvariantCulture);
}

public sealed record SymbolDim(DimSymbol Symbol) : Dim
{
    public override long Evaluate(Func<DimSymbol, long> valueOf) => valueOf(Symbol);

    public override Dim Substitute(DimSymbol symbol, Dim value) => symbol == Symbol ? value : this;

    public override string ToCSharp() => char.ToLowerInvariant(Symbol.ToString()[0]) + Symbol.ToString().Substring(1);

    protected internal override string Text => Symbol switch
    {
        DimSymbol.Tokens => "T",
        DimSymbol.Context => "S",
        DimSymbol.LogitRows => "L",
        DimSymbol.Splits => "P",
        DimSymbol.Rows => "R",
        _ => "M",
    };
}

public sealed record SumDim(Dim Left, Dim Right) : Dim
{
    public override long Evaluate(Func<DimSymbol, long> valueOf) => Left.Evaluate(valueOf) + Right.Evaluate(valueOf);

    public override Dim Substitute(DimSymbol symbol, Dim value) => Left.Substitute(symbol, value) + Right.Substitute(symbol, value);

    public override string ToCSharp() => Right is ProductDim { Right: ConstantDim { Value: -1 } } minus
        ? $"({Left.ToCSharp()} - {minus.Left.ToCSharp()})"
        : $"({Left.ToCSharp()} + {Right.ToCSharp()})";

    protected internal override string Text => Right is ProductDim { Right: ConstantDim { Value: -1 } } minus
        ? $"({Left}-{minus.Left})"
        : $"({Left}+{Right})";
}

public sealed record ProductDim(Dim Left, Dim Right) : Dim
{
    public override long Evaluate(Func<DimSymbol, long> valueOf) => Left.Evaluate(valueOf) * Right.Evaluate(valueOf);

    public override Dim Substitute(DimSymbol symbol, Dim value) => Left.Substitute(symbol, value) * Right.Substitute(symbol, value);

    public override string ToCSharp() => $"{Left.ToCSharp()} * {Right.ToCSharp()}";

    protected internal override string Text => $"{Left}*{Right}";
}

public sealed record CeilDivDim(Dim Value, long Size) : Dim
{
    public override long Evaluate(Func<DimSymbol, long> valueOf) => (Value.Evaluate(valueOf) + Size - 1) / Size;

    public override Dim Substitute(DimSymbol symbol, Dim value) => CeilDiv(Value.Substitute(symbol, value), Size);

    public override string ToCSharp() => $"({Value.ToCSharp()} + {Size - 1}) / {Size}";

    protected internal override string Text => $"ceil({Value}/{Size})";
}

public sealed record MinDim(Dim Left, Dim Right) : Dim
{
    public override long Evaluate(Func<DimSymbol, long> valueOf) => Math.Min(Left.Evaluate(valueOf), Right.Evaluate(valueOf));

    public override Dim Substitute(DimSymbol symbol, Dim value) => Min(Left.Substitute(symbol, value), Right.Substitute(symbol, value));

    public override string ToCSharp() => $"Math.Min({Left.ToCSharp()}, {Right.ToCSharp()})";

    protected internal override string Text => $"min({Left},{Right})";
}
