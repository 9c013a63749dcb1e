using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Words of eight lanes between lane-major and register-major order, for processors with vectors of eight words.</summary>
internal static unsafe class QuadTiles
{
    /// <summary>Transposes both halves of four vectors, four by four each; its own inverse.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float>, Vector256<float>, Vector256<float>, Vector256<float>) Transpose(
        Vector256<float> x0, Vector256<float> x1, Vector256<float> x2, Vector256<float> x3)
    {
        Vector256<double> low = UnpackLow(x0, x1).AsDouble(), high = UnpackHigh(x0, x1).AsDouble();
        Vector256<double> low2 = UnpackLow(x2, x3).AsDouble(), high2 = UnpackHigh(x2, x3).AsDouble();
        return (UnpackLow(low, low2).AsSingle(), UnpackHigh(low, low2).AsSingle(), UnpackLow(high, high2).AsSingle(), UnpackHigh(high, high2).AsSingle());
    }

    /// <summary>Eight lanes of four words, two lanes to a vector, to four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadFour(Vector256<uint> lanes01, Vector256<uint> lanes23, Vector256<uint> lanes45, Vector256<uint> lanes67, byte* registers, int* rows, int at)
    {
        var (r0, r1, r2, r3) = Transpose(Lower(lanes01, lanes45), Upper(lanes01, lanes45), Lower(lanes23, lanes67), Upper(lanes23, lanes67));
        r0.Store((float*)(registers + rows[0] + at));
        r1.Store((float*)(registers + rows[1] + at));
        r2.Store((float*)(registers + rows[2] + at));
        r3.Store((float*)(registers + rows[3] + at));
    }

    /// <summary>Eight words of four rows to eight lanes of four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFour(byte* registers, int* rows, int at, float* to)
    {
        var (l04, l15, l26, l37) = Transpose(Row(registers, rows[0], at), Row(registers, rows[1], at), Row(registers, rows[2], at), Row(registers, rows[3], at));
        Lower(l04.AsUInt32(), l15.AsUInt32()).Store(to);
        Lower(l26.AsUInt32(), l37.AsUInt32()).Store(to + 8);
        Upper(l04.AsUInt32(), l15.AsUInt32()).Store(to + 16);
        Upper(l26.AsUInt32(), l37.AsUInt32()).Store(to + 24);
    }

    /// <summary>Eight lanes of two words to two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadTwo(float* from, byte* registers, int* rows, int at)
    {
        Vector256<float> lanes0123 = Vector256.Load(from), lanes4567 = Vector256.Load(from + 8);
        Vector256<float> lower = Lower(lanes0123.AsUInt32(), lanes4567.AsUInt32()), upper = Upper(lanes0123.AsUInt32(), lanes4567.AsUInt32());
        // Halves are now lanes 0, 1 and 4, 5; lanes 2, 3 and 6, 7.
        Vector256<float> low = UnpackLow(lower, upper), high = UnpackHigh(lower, upper);
        UnpackLow(low, high).Store((float*)(registers + rows[0] + at));
        UnpackHigh(low, high).Store((float*)(registers + rows[1] + at));
    }

    /// <summary>Eight words of two rows to eight lanes of two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTwo(byte* registers, int* rows, int at, float* to)
    {
        Vector256<float> r0 = Row(registers, rows[0], at), r1 = Row(registers, rows[1], at);
        Vector256<uint> low = UnpackLow(r0, r1).AsUInt32(), high = UnpackHigh(r0, r1).AsUInt32();
        Lower(low, high).Store(to);
        Upper(low, high).Store(to + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Row(byte* registers, int row, int at) => Vector256.Load((float*)(registers + row + at));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Lower(Vector256<uint> x, Vector256<uint> y) => Vector256.Create(x.GetLower(), y.GetLower()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Upper(Vector256<uint> x, Vector256<uint> y) => Vector256.Create(x.GetUpper(), y.GetUpper()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> UnpackLow(Vector256<float> x, Vector256<float> y) => Avx.IsSupported
        ? Avx.UnpackLow(x, y)
        : Vector256.Create(x[0], y[0], x[1], y[1], x[4], y[4], x[5], y[5]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> UnpackHigh(Vector256<float> x, Vector256<float> y) => Avx.IsSupported
        ? Avx.UnpackHigh(x, y)
        : Vector256.Create(x[2], y[2], x[3], y[3], x[6], y[6], x[7], y[7]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> UnpackLow(Vector256<double> x, Vector256<double> y) => Avx.IsSupported
        ? Avx.UnpackLow(x, y)
        : Vector256.Create(x[0], y[0], x[2], y[2]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> UnpackHigh(Vector256<double> x, Vector256<double> y) => Avx.IsSupported
        ? Avx.UnpackHigh(x, y)
        : Vector256.Create(x[1], y[1], x[3], y[3]);
}
