namespace ModelDsl.Compiler.Graph;

/// <summary>What a size may depend on from step to step; everything else is known when the model is compiled.</summary>
public enum DimSymbol
{
    /// <summary>Rows of this step: new tokens of one sequence (prefill) or sequences with one new token each (decode).</summary>
    Tokens,

    /// <summary>Tokens that the step attends to: those in the cache and the new ones (prefill).</summary>
    Context,

    /// <summary>Rows whose logits are wanted: the last ones of the step.</summary>
    LogitRows,

    /// <summary>Parts into which the longest sequence of a decode step is split.</summary>
    Splits,

    /// <summary>Pages per sequence that a block table has room for.</summary>
    MaxPages,

    /// <summary>Rows of one launch. Stands in the geometry of kernels only, which do not know whose rows they work on.</summary>
    Rows,
}

/// <summary>A size, possibly symbolic. Simplifies itself while it is built; prints as C#.</summary>
public abstract record Dim
{
    public static Dim Tokens { get; } = new SymbolDim(DimSymbol.Tokens);

    public static Dim Context { get; } = new SymbolDim(DimSymbol.Context);

    public static Dim LogitRows { get; } = new SymbolDim(DimSymbol.LogitRows);

    public static Dim Splits { get; } = new SymbolDim(DimSymbol.Splits);

    public static Dim MaxPages { get; } = new SymbolDim(DimSymbol.MaxPages);

    /// <summary>The row count of a launch, in the geometry of a kernel; see <see cref="Substitute"/>.</summary>
    public static Dim Rows { get; } = new SymbolDim(DimSymbol.Rows);

    public static implicit operator Dim(long value) => new ConstantDim(value);

    public static implicit operator Dim(int value) => new ConstantDim(value);

    /// <summary>The value where it does not depend on a symbol.</summary>
    public long? Constant => (this as ConstantDim)?.Value;

    public static Dim operator +(Dim a, Dim b) => (a, b) switch
    {
        (ConstantDim x, ConstantDim y) => x.Value + y.Value,
        (ConstantDim { Value: 0 }, _) => b,
        (_, ConstantDim { Value: 0 }) => a,
        _ => new SumDim(a, b),
    };

    public static Dim operator -(Dim a, Dim b) => a == b ? 0 : a + b * -1;

    public static Dim operator *(Dim a, Dim b) => (a, b) switch
    {
        (ConstantDim x, ConstantDim y) => x.Value * y.Value,
        (ConstantDim { Value: 0 }, _) or (_, ConstantDim { Value: 0 }) => 0,
        (ConstantDim { Value: 1 }, _) => b,
        (_, ConstantDim { Value: 1 }) => a,
        (ConstantDim, _) => b * a,
        (ProductDim { Right: ConstantDim p } product, ConstantDim q) => product.Left * (p.Value * q.Value),
        _ => new ProductDim(a, b),
    };

    /// <summary>How many pieces of <paramref name="size"/> it takes to cover <paramref name="value"/>.</summary>
    public static Dim CeilDiv(Dim value, long size) => value switch
    {
        _ when size == 1 => value,
        ConstantDim c => (c.Value + size - 1) / size,
        _ => new CeilDivDim(value, size),
    };

    public static Dim Min(Dim a, Dim b) => (a, b) switch
    {
        (ConstantDim x, ConstantDim y) => Math.Min(x.Value, y.Value),
        _ when a == b => a,
        _ => new MinDim(a, b),
    };

    /// <summary>The number, once the symbols have values.</summary>
    public abstract long Evaluate(Func<DimSymbol, long> valueOf);

    /// <summary>The same size with a symbol replaced: the geometry of a kernel for T*8 rows.</summary>
    public abstract Dim Substitute(DimSymbol symbol, Dim value);

    /// <summary>As C# over <c>int</c> locals named like the symbols in camel case: <c>(tokens + 63) / 64</c>.</summary>
    public abstract string ToCSharp();

    /// <summary>Short form for IR text: <c>T*4</c>.</summary>
    public sealed override string ToString() => Text;

    protected internal abstract string Text { get; }
}
