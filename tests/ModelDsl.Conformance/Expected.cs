using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance;

/// <summary>What one cell of the output must hold: certain bits, any NaN, a value within a bound, or anything.</summary>
public readonly struct Expected
{
    private readonly Kind _kind;
    private readonly ulong _bits, _mask;
    private readonly double _value, _bound;

    private Expected(Kind kind, ulong bits, ulong mask, double value = 0, double bound = 0) =>
        (_kind, _bits, _mask, _value, _bound) = (kind, bits, mask, value, bound);

    private enum Kind { Bits, NaN, Near, NearOrZero, Anything }

    /// <summary>Where the ISA leaves the result open.</summary>
    public static Expected Anything { get; } = new(Kind.Anything, 0, 0);

    /// <summary>Where it leaves the payload open.</summary>
    public static Expected NaN { get; } = new(Kind.NaN, 0, 0);

    public static implicit operator Expected(ulong bits) => new(Kind.Bits, bits, ulong.MaxValue);

    public static implicit operator Expected(uint bits) => new(Kind.Bits, bits, ulong.MaxValue);

    /// <summary>Only the bits of the mask count.</summary>
    public static Expected Masked(ulong bits, ulong mask) => new(Kind.Bits, bits & mask, mask);

    /// <summary>Two expectations of 16 bits as one of 32. NaN of any payload is held to the exponent alone.</summary>
    public static Expected Pair(Expected low, Expected high, FloatFormat format)
    {
        var (a, b) = (low.AsBits(format), high.AsBits(format));
        return Masked(a._bits | b._bits << 16, (a._mask & 0xFFFF) | (b._mask & 0xFFFF) << 16);
    }

    /// <param name="value">The true value, finite.</param>
    /// <param name="bound">Largest absolute error allowed.</param>
    /// <param name="orZero">The result may be flushed to zero.</param>
    public static Expected Near(double value, double bound, bool orZero = false) =>
        new(orZero ? Kind.NearOrZero : Kind.Near, 0, 0, value, bound);

    /// <summary>How far the result is off: 0 is right, up to 1 within the bound, infinite wrong.</summary>
    /// <param name="format">How to read the cell where a bound or NaN is asked for.</param>
    public double Error(ulong actual, FloatFormat? format)
    {
        switch (_kind)
        {
            case Kind.Bits: return (actual & _mask) == _bits ? 0 : double.PositiveInfinity;
            case Kind.NaN: return format!.IsNaN(actual) ? 0 : double.PositiveInfinity;
            case Kind.Anything: return 0;
        }
        var value = format == FloatFormat.F64 ? BitConverter.UInt64BitsToDouble(actual) : BitConverter.UInt32BitsToSingle((uint)actual);
        if (value == 0 && _kind == Kind.NearOrZero) return 0;
        var error = Math.Abs(value - _value);
        return error == 0 ? 0 : error <= _bound ? error / _bound : double.PositiveInfinity;
    }

    private Expected AsBits(FloatFormat format) => _kind switch
    {
        Kind.Bits => this,
        Kind.NaN => Masked(format.Infinity, format.Infinity),
        Kind.Anything => Masked(0, 0),
        _ => throw new InvalidOperationException("a value within a bound has no bits"),
    };

    /// <summary>For the message about a wrong cell.</summary>
    public string Text(int width) => _kind switch
    {
        Kind.Bits when (_mask | ulong.MaxValue << (8 * width - 1) << 1) == ulong.MaxValue => Bits.Hex(_bits, width),
        Kind.Bits => $"{Bits.Hex(_bits, width)} in the bits {Bits.Hex(_mask, width)}",
        Kind.NaN => "NaN",
        Kind.Anything => "anything",
        _ => $"{_value:R} ± {_bound:G3}",
    };
}
