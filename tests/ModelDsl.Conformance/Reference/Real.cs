using System.Numerics;

namespace ModelDsl.Conformance.Reference;

/// <summary>
/// A number without rounding: ±magnitude · 2^exponent, or infinity, or NaN. Zeros have a sign. Quotients and roots carry so many more bits
/// than any format, with a last one that says whether anything follows, that rounding them rounds the true value.
/// </summary>
public readonly struct Real
{
    private const int ExtraBits = 160;
    private readonly Kind _kind;

    private Real(Kind kind, bool negative, BigInteger magnitude, int exponent) =>
        (_kind, Negative, Magnitude, Exponent) = (kind, negative, magnitude, exponent);

    private enum Kind { Finite, Infinite, NaN }

    public static Real NaN { get; } = new(Kind.NaN, false, 0, 0);

    public bool Negative { get; }

    public BigInteger Magnitude { get; }

    public int Exponent { get; }

    public bool IsNaN => _kind == Kind.NaN;

    public bool IsInfinite => _kind == Kind.Infinite;

    public bool IsFinite => _kind == Kind.Finite;

    public bool IsZero => _kind == Kind.Finite && Magnitude.IsZero;

    /// <summary>Exponent of the leading one of a finite number that is not zero.</summary>
    public int Leading => (int)Magnitude.GetBitLength() - 1 + Exponent;

    private BigInteger Signed => Negative ? -Magnitude : Magnitude;

    public static Real Infinite(bool negative) => new(Kind.Infinite, negative, 0, 0);

    public static Real Finite(bool negative, BigInteger magnitude, int exponent = 0) => new(Kind.Finite, negative, magnitude, exponent);

    public static Real Integer(BigInteger value) => Finite(value.Sign < 0, BigInteger.Abs(value));

    public static Real operator -(Real a) => new(a._kind, !a.Negative, a.Magnitude, a.Exponent);

    /// <param name="mode">Decides the sign of an exact zero from terms of opposite sign.</param>
    public static Real Add(Real a, Real b, RoundingMode mode)
    {
        if (a.IsNaN || b.IsNaN || (a.IsInfinite && b.IsInfinite && a.Negative != b.Negative)) return NaN;
        if (a.IsInfinite || b.IsInfinite) return a.IsInfinite ? a : b;
        var exponent = Math.Min(a.Exponent, b.Exponent);
        var sum = (a.Signed << (a.Exponent - exponent)) + (b.Signed << (b.Exponent - exponent));
        var negative = sum.IsZero ? (a.Negative == b.Negative ? a.Negative : mode == RoundingMode.Down) : sum.Sign < 0;
        return Finite(negative, BigInteger.Abs(sum), exponent);
    }

    public static Real Multiply(Real a, Real b)
    {
        if (a.IsNaN || b.IsNaN || (a.IsInfinite && b.IsZero) || (a.IsZero && b.IsInfinite)) return NaN;
        var negative = a.Negative != b.Negative;
        return a.IsInfinite || b.IsInfinite ? Infinite(negative) : Finite(negative, a.Magnitude * b.Magnitude, a.Exponent + b.Exponent);
    }

    public static Real Divide(Real a, Real b)
    {
        if (a.IsNaN || b.IsNaN || (a.IsInfinite && b.IsInfinite) || (a.IsZero && b.IsZero)) return NaN;
        var negative = a.Negative != b.Negative;
        if (a.IsInfinite || b.IsZero) return Infinite(negative);
        if (a.IsZero || b.IsInfinite) return Finite(negative, 0);
        var quotient = BigInteger.DivRem(a.Magnitude << ExtraBits, b.Magnitude, out var rest);
        return Finite(negative, (quotient << 1) + (rest.IsZero ? 0 : 1), a.Exponent - b.Exponent - ExtraBits - 1);
    }

    public static Real SquareRoot(Real a)
    {
        if (a.IsNaN || a.IsZero) return a;
        if (a.Negative) return NaN;
        if (a.IsInfinite) return a;
        var shift = ExtraBits + (a.Exponent & 1);
        var square = a.Magnitude << shift;
        // Newton's iteration from above ends at the floor of the root.
        var root = BigInteger.One << (int)((square.GetBitLength() + 1) / 2);
        for (var next = (root + square / root) >> 1; next < root; next = (root + square / root) >> 1) root = next;
        return Finite(false, (root << 1) + (root * root == square ? 0 : 1), (a.Exponent - shift) / 2 - 1);
    }

    /// <summary>-1, 0, 1 as a is less than, equal to or greater than b, zeros of both signs being equal; neither may be NaN.</summary>
    public static int Compare(Real a, Real b)
    {
        if (a.IsInfinite || b.IsInfinite) return Rank(a).CompareTo(Rank(b));
        var exponent = Math.Min(a.Exponent, b.Exponent);
        return (a.Signed << (a.Exponent - exponent)).CompareTo(b.Signed << (b.Exponent - exponent));
    }

    /// <summary>The magnitude in units of 2^<paramref name="unit"/>, rounded to a whole number of them.</summary>
    public BigInteger Units(int unit, RoundingMode mode)
    {
        var drop = unit - Exponent;
        if (drop <= 0) return Magnitude << -drop;
        var whole = Magnitude >> drop;
        var rest = Magnitude - (whole << drop);
        if (rest.IsZero) return whole;
        var half = rest.CompareTo(BigInteger.One << (drop - 1));
        var up = mode switch
        {
            RoundingMode.NearestEven => half > 0 || (half == 0 && !whole.IsEven),
            RoundingMode.NearestAway => half >= 0,
            RoundingMode.Zero => false,
            RoundingMode.Down => Negative,
            _ => !Negative,
        };
        return up ? whole + 1 : whole;
    }

    /// <summary>The whole number that a finite value rounds to.</summary>
    public BigInteger ToInteger(RoundingMode mode) => Negative ? -Units(0, mode) : Units(0, mode);

    private static int Rank(Real a) => a.IsInfinite ? (a.Negative ? -1 : 1) : 0;
}
