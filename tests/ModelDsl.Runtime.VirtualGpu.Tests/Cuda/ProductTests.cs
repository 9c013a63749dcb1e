using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Matrix products: by tiles in shared memory, and by <c>wmma</c> in every element type, shape and layout.</summary>
public sealed class ProductTests
{
    [Theory]
    [InlineData(32, 32, 32)]
    [InlineData(40, 23, 17)]
    public void By_tiles(int m, int n, int k)
    {
        using var program = new CudaProgram("gemm");
        float[] a = Sample.Floats(m * k, 1), b = Sample.Floats(k * n, 2);
        using DeviceMemory da = program.Upload(a), db = program.Upload(b), dc = program.Zeros<float>(m * n);
        program.Run("gemm_tiled", new Dim3((n + 15) / 16, (m + 15) / 16), new Dim3(16, 16), da, db, dc, m, n, k);
        var expected = from i in Enumerable.Range(0, m) from j in Enumerable.Range(0, n) select Enumerable.Range(0, k).Sum(q => (double)a[i * k + q] * b[q * n + j]);
        Sample.Close(expected, program.Read<float>(dc), 1e-5);
    }

    /// <param name="layouts">Of A, B and the accumulator: r for rows, c for columns in sequence.</param>
    [Theory]
    [InlineData("h_f32_16_rr", "f16", "f32", 16, 16, 16, "rrr")]
    [InlineData("h_f32_16_rc", "f16", "f32", 16, 16, 16, "rcr")]
    [InlineData("h_f32_16_cr", "f16", "f32", 16, 16, 16, "crc")]
    [InlineData("h_f32_16_cc", "f16", "f32", 16, 16, 16, "ccc")]
    [InlineData("h_f16_16_rr", "f16", "f16", 16, 16, 16, "rrr")]
    [InlineData("h_f16_32_cr", "f16", "f16", 32, 8, 16, "crc")]
    [InlineData("h_f16_8_rc", "f16", "f16", 8, 32, 16, "rcc")]
    [InlineData("h_f32_32_rr", "f16", "f32", 32, 8, 16, "rrr")]
    [InlineData("h_f32_8_cc", "f16", "f32", 8, 32, 16, "ccr")]
    [InlineData("bf_16_rc", "bf16", "f32", 16, 16, 16, "rcr")]
    [InlineData("bf_32_rr", "bf16", "f32", 32, 8, 16, "rrr")]
    [InlineData("bf_8_cc", "bf16", "f32", 8, 32, 16, "ccc")]
    [InlineData("s8_16_rc", "s8", "s32", 16, 16, 16, "rcr")]
    [InlineData("s8_16_cr", "s8", "s32", 16, 16, 16, "crc")]
    [InlineData("u8_32_rr", "u8", "s32", 32, 8, 16, "rrr")]
    [InlineData("s8_8_cc", "s8", "s32", 8, 32, 16, "ccr")]
    [InlineData("tf32_rr", "tf32", "f32", 16, 16, 8, "rrr")]
    [InlineData("tf32_cc", "tf32", "f32", 16, 16, 8, "ccc")]
    [InlineData("f64_rc", "f64", "f64", 8, 8, 4, "rcr")]
    [InlineData("f64_cr", "f64", "f64", 8, 8, 4, "crc")]
    public void By_wmma(string kernel, string type, string accumulator, int m, int n, int k, string layouts)
    {
        using var program = new CudaProgram("wmma");
        int depth = 3 * k;
        double[] a = Values(type, m * depth, 1), b = Values(type, depth * n, 2), c = Values(accumulator, m * n, 3);
        using DeviceMemory da = program.Upload(Pack(type, a)), db = program.Upload(Pack(type, b)), dc = program.Upload(Pack(accumulator, c)), dd = program.Zeros<byte>(m * n * Size(accumulator));
        program.Run(kernel, 1, 32, da, db, dc, dd, depth);
        double[] expected = (double[])c.Clone();
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                for (int q = 0; q < depth; q++)
                    expected[layouts[2] == 'r' ? i * n + j : j * m + i] += a[layouts[0] == 'r' ? i * depth + q : q * m + i] * b[layouts[1] == 'r' ? q * n + j : j * depth + q];
            }
        }
        double tolerance = accumulator switch { "f16" => 4e-3, "f32" => 2e-6, "f64" => 1e-14, _ => 0 };
        Sample.Close(expected, Unpack(accumulator, program.Read<byte>(dd)), tolerance);
    }

    private static int Size(string type) => type switch { "s8" or "u8" => 1, "f16" or "bf16" => 2, "f64" => 8, _ => 4 };

    /// <summary>Numbers that the type holds exactly.</summary>
    private static double[] Values(string type, int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => type switch
        {
            "s8" => random.Next(-128, 128),
            "u8" => random.Next(256),
            "s32" => random.Next(-1000, 1000),
            "bf16" => random.Next(-128, 129) / 128.0,
            "f64" => random.NextDouble() * 2 - 1,
            _ => random.Next(-1024, 1025) / 1024.0,
        })];
    }

    private static byte[] Pack(string type, double[] values) => [.. values.SelectMany(v => type switch
    {
        "s8" or "u8" => [(byte)(int)v],
        "s32" => BitConverter.GetBytes((int)v),
        "f16" => BitConverter.GetBytes((Half)v),
        "bf16" => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits((float)v) >> 16)),
        "f64" => BitConverter.GetBytes(v),
        _ => BitConverter.GetBytes((float)v),
    })];

    private static IEnumerable<double> Unpack(string type, byte[] bytes) => bytes.Chunk(Size(type)).Select(b => type switch
    {
        "s32" => BitConverter.ToInt32(b),
        "f16" => (double)BitConverter.ToHalf(b),
        "f64" => BitConverter.ToDouble(b),
        _ => BitConverter.ToSingle(b),
    });
}
