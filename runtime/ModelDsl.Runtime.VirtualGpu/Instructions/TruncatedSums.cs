using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// FP8 sums as Hopper's tensor cores make them: the 32 products of an instruction and the accumulator are shifted to the largest exponent among them, what is beyond so
/// many fraction bits is cut off each, and so it is of the sum. With 13 bits the results are those of an H200, bit for bit; a product's exponent is the sum of its operands',
/// whatever their fractions make of it (V3 report, sections 3.3.2 and 3.5.2, says that bits are few, the paper on its hardware that they are 13).
/// </summary>
internal static unsafe class TruncatedSums
{
    private const int FractionBits = 23, ExponentMask = 0x7F80_0000, MagnitudeMask = 0x7FFF_FFFF;

    /// <summary>Eight rows of a warp by eight columns; operands as <see cref="WarpgroupMultiply"/> has widened them.</summary>
    /// <param name="a">Every fourth single is a row's element, row by row; <paramref name="stride"/> from one k to the next.</param>
    /// <param name="b">Eight columns for each k.</param>
    /// <param name="least">Exponent fields, as singles have them, that elements of A and of B have at least: those of subnormal ones.</param>
    /// <param name="even">The accumulators of even columns, four to a row, and <paramref name="odd"/> of odd ones.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void EightRows(float* a, int stride, float* b, int steps, float* even, float* odd, bool accumulates, int bits, (int A, int B) least)
    {
        for (int row = 0; row < 8; row++)
        {
            Vector256<float> sum = accumulates ? Vector256.Create(Vector128.Load(even + 4 * row), Vector128.Load(odd + 4 * row)) : default;
            sum = Row(a + 4 * row, stride, b, steps, sum, bits, least);
            sum.GetLower().Store(even + 4 * row);
            sum.GetUpper().Store(odd + 4 * row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Row(float* a, int stride, float* b, int steps, Vector256<float> start, int bits, (int A, int B) least)
    {
        Vector256<int> largest = Magnitude(start), special = largest;
        for (int k = 0; k < steps; k++)
        {
            Vector256<int> product = Magnitude(Product(a, stride, b, k));
            special = Vector256.Max(special, product);
            Vector256<int> sumOfExponents = Exponent(Vector256.Create(a[k * stride]), least.A) + Exponent(Vector256.Load(b + 8 * k), least.B) - Vector256.Create(127 << FractionBits);
            largest = Vector256.Max(largest, Vector256.ConditionalSelect(Vector256.Equals(product, default), default, sumOfExponents));
        }
        // One unit of the last bit that is kept, and its reciprocal, by their exponents. What is smaller than any sum of FP8 products counts as that.
        Vector256<int> exponent = Vector256.Max(largest & Vector256.Create(ExponentMask), Vector256.Create((bits + 1) << FractionBits)) - Vector256.Create(bits << FractionBits);
        Vector256<float> unit = exponent.AsSingle(), units = (Vector256.Create(254 << FractionBits) - exponent).AsSingle();
        Vector256<float> sum = Vector256.Truncate(start * units), plain = start;
        for (int k = 0; k < steps; k++)
        {
            Vector256<float> product = Product(a, stride, b, k);
            sum += Vector256.Truncate(product * units);
            plain += product;
        }
        Vector256<float> kept = ((sum * unit).AsInt32() & Vector256.Create(~((1 << (FractionBits - bits)) - 1))).AsSingle();
        return Vector256.ConditionalSelect(Vector256.LessThan(special, Vector256.Create(ExponentMask)).AsSingle(), kept, plain);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Product(float* a, int stride, float* b, int k) => Vector256.Create(a[k * stride]) * Vector256.Load(b + 8 * k);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Exponent(Vector256<float> x, int least) => Vector256.Max(x.AsInt32() & Vector256.Create(ExponentMask), Vector256.Create(least));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Magnitude(Vector256<float> x) => x.AsInt32() & Vector256.Create(MagnitudeMask);
}
