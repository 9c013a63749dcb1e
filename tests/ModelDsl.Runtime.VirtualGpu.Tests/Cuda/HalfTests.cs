using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>The intrinsics of <c>cuda_fp16.h</c>, <c>cuda_bf16.h</c> and <c>cuda_fp8.h</c>. Single operations are exact to the bit.</summary>
public sealed class HalfTests : IDisposable
{
    private readonly CudaProgram _program = new("halves");
    private readonly float[] _x = Sample.Floats(32, 1), _y = Sample.Floats(32, 2);

    public void Dispose() => _program.Dispose();

    [Fact]
    public void Halves()
    {
        static double R(double v) => (double)(Half)v;
        Check("halves", 24, i =>
        {
            double a = R(_x[i]), b = R(_y[i]);
            return
            [
                R(a + b), R(a - b), R(a * b), R(a * b + a), Math.Max(0, R(a * b - a)), Math.Clamp(R(a + b), 0, 1), R(a * 0.5 + a), R(b * 0.5 + b), null, null,
                Math.Max(a, 0.5), Math.Max(b, 0.5), a > 0.5 ? 1 : 0, b > 0.5 ? 1 : 0, a < b ? 1 : 0, 1, R(Math.Sqrt(Math.Abs(a))), null, Math.Round(R(a * 10)), Math.Round(R(a * 10)),
                Math.Truncate(R(a * 10)), null, null, i * 7,
            ];
        }, i =>
        {
            double a = R(_x[i]), b = R(_y[i]);
            return new() { [8] = Math.Pow(2, a), [9] = Math.Pow(2, b), [17] = Math.Exp(a), [21] = a / b, [22] = Math.Sin(a) };
        }, 1e-3);
    }

    [Fact]
    public void Brain_floats_and_bytes()
    {
        static double R(double v)
        {
            // To nearest even at bit 16 of the single; the products here are exact in a double.
            uint bits = BitConverter.SingleToUInt32Bits((float)v);
            return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
        }
        Check("bfloats", 16, i =>
        {
            double a = R(_x[i]), b = R(_y[i]), triple = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(_x[i] * 3) & 0xFFFF0000);
            return
            [
                R(a + b), R(a - b), R(a * b), null, R(a * 0.5 + a), R(b * 0.5 + b), Math.Min(a, 0.5), Math.Min(b, 0.5), Math.Abs(a), Math.Abs(b),
                a > b ? 1 : 0, null, triple, Math.Truncate(R(a * 10)), Nearest(_x[i], 3, 7), Nearest(_x[i], 2, 15),
            ];
        }, i => new() { [3] = R(_x[i]) * R(_y[i]) + R(_x[i]), [11] = Math.Exp(R(_x[i])) }, 8e-3);
    }

    /// <summary>The number with so many bits of fraction and such a bias that is nearest, ties to even.</summary>
    private static double Nearest(double x, int fraction, int bias)
    {
        int exponent = Math.Max(x == 0 ? 1 - bias : Math.ILogB(x), 1 - bias);
        double unit = Math.ScaleB(1, exponent - fraction);
        return Math.Round(x / unit, MidpointRounding.ToEven) * unit;
    }

    private void Check(string kernel, int results, Func<int, double?[]> exact, Func<int, Dictionary<int, double>> close, double tolerance)
    {
        using DeviceMemory x = _program.Upload(_x), y = _program.Upload(_y), output = _program.Zeros<float>(32 * results);
        _program.Run(kernel, 1, 32, x, y, output);
        float[] got = _program.Read<float>(output);
        for (int i = 0; i < 32; i++)
        {
            double?[] wanted = exact(i);
            for (int k = 0; k < results; k++)
                if (wanted[k] is { } value) Assert.True(value == got[i * results + k], $"result {k} of {_x[i]}, {_y[i]}: {got[i * results + k]}, expected {value}");
            foreach (var (k, value) in close(i))
                Assert.True(Math.Abs(value - got[i * results + k]) <= tolerance * Math.Max(1, Math.Abs(value)), $"result {k} of {_x[i]}, {_y[i]}: {got[i * results + k]}, about {value}");
        }
    }
}
