using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>
/// <c>mma.sync</c> against a plain loop. Fragments are filled and read with the index formulas of the PTX ISA (element i of
/// lane l), written here independently of how the virtual GPU thinks of them.
/// </summary>
public sealed class MatrixTests : IDisposable
{
    private readonly TestGpu _gpu = new();
    private readonly Random _random = new(11);

    public void Dispose() => _gpu.Dispose();

    [Theory]
    [InlineData("m16n8k16", "f32.f16.f16.f32", 16)]
    [InlineData("m16n8k16", "f32.bf16.bf16.f32", 16)]
    [InlineData("m16n8k8", "f32.f16.f16.f32", 8)]
    [InlineData("m16n8k8", "f32.bf16.bf16.f32", 8)]
    [InlineData("m16n8k8", "f32.tf32.tf32.f32", 8)]
    [InlineData("m16n8k4", "f32.tf32.tf32.f32", 4)]
    [InlineData("m16n8k16", "f16.f16.f16.f16", 16)]
    [InlineData("m16n8k8", "f16.f16.f16.f16", 8)]
    [InlineData("m16n8k32", "f32.e4m3.e4m3.f32", 32)]
    [InlineData("m16n8k32", "f32.e4m3.e5m2.f32", 32)]
    [InlineData("m16n8k32", "f32.e5m2.e4m3.f32", 32)]
    [InlineData("m16n8k32", "f32.e5m2.e5m2.f32", 32)]
    [InlineData("m16n8k32", "s32.s8.s8.s32", 32)]
    [InlineData("m16n8k32", "s32.u8.s8.s32", 32)]
    [InlineData("m16n8k16", "s32.s8.u8.s32", 16)]
    [InlineData("m16n8k16", "s32.u8.u8.s32", 16)]
    public void MultipliesLikeAPlainLoop(string shape, string types, int k)
    {
        string[] t = types.Split('.');
        var a = new double[16, k];
        var b = new double[k, 8];
        var c = new double[16, 8];
        Fill(a, t[1]);
        Fill(b, t[2]);
        Fill(c, t[0] == "s32" ? "s8" : "f16");

        int aBits = Bits(t[1]), aRegisters = 16 * k * aBits / 1024, bRegisters = k * 8 * aBits / 1024, cRegisters = t[0] == "f16" ? 2 : 4;
        uint[] fragmentA = Fragment(aRegisters, aBits, (lane, i) => a[RowA(lane, i, aBits, k), ColumnA(lane, i, aBits, k)], t[1]);
        uint[] fragmentB = Fragment(bRegisters, aBits, (lane, i) => b[RowB(lane, i, aBits), lane / 4], t[2]);
        uint[] fragmentC = Fragment(cRegisters, t[0] == "f16" ? 16 : 32, (lane, i) => c[lane / 4 + (i >= 2 ? 8 : 0), lane % 4 * 2 + (i & 1)], t[0]);
        uint[] result = Run(shape, types, fragmentA, fragmentB, fragmentC, aRegisters, bRegisters, cRegisters);

        int bits = t[0] == "f16" ? 16 : 32;
        for (int lane = 0; lane < 32; lane++)
        {
            for (int i = 0; i < 4; i++)
            {
                int row = lane / 4 + (i >= 2 ? 8 : 0), column = lane % 4 * 2 + (i & 1);
                double expected = c[row, column];
                for (int x = 0; x < k; x++) expected += a[row, x] * b[x, column];
                uint word = result[i * bits / 32 * 32 + lane] >> (bits == 16 ? 16 * (i & 1) : 0);
                double actual = Decode(word, t[0]);
                double tolerance = t[0] == "s32" ? 0 : t[0] == "f16" ? 2e-3 * Math.Max(1, Math.Abs(expected)) : 1e-4 * Math.Max(1, Math.Abs(expected));
                Assert.True(Math.Abs(actual - expected) <= tolerance, $"row {row} column {column}: expected {expected}, got {actual}");
            }
        }
    }

    [Theory]
    [InlineData("m16n8k16", "f16", 0x7C00)]
    [InlineData("m16n8k16", "f16", 0xFE01)]
    [InlineData("m16n8k16", "bf16", 0x7F80)]
    [InlineData("m16n8k16", "bf16", 0xFFC1)]
    [InlineData("m16n8k32", "e4m3", 0x7F)]
    [InlineData("m16n8k32", "e4m3", 0xFF)]
    [InlineData("m16n8k32", "e5m2", 0x7C)]
    [InlineData("m16n8k32", "e5m2", 0xFE)]
    public void PassesInfinitiesAndNaNs(string shape, string type, int special)
    {
        int bits = Bits(type), k = type.EndsWith("16") ? 16 : 32;
        bool infinite = special is 0x7C00 or 0x7F80 or 0x7C;
        uint[] ones = Fragment(4, bits, (_, _) => 1, type), a = With(ones, (lane, i) => RowA(lane, i, bits, k) == 11 && ColumnA(lane, i, bits, k) == 5);
        uint[] columnOnes = Fragment(2, bits, (_, _) => 1, type), b = With(columnOnes, (lane, i) => lane / 4 == 3 && RowB(lane, i, bits) == 5);
        var zero = new uint[128];
        string types = $"f32.{type}.{type}.f32";
        Check(Run(shape, types, a, columnOnes, zero, 4, 2, 4), (row, _) => row == 11);
        Check(Run(shape, types, ones, b, zero, 4, 2, 4), (_, column) => column == 3);

        uint[] With(uint[] fragment, Func<int, int, bool> where)
        {
            var copy = (uint[])fragment.Clone();
            int each = 32 / bits;
            for (int lane = 0; lane < 32; lane++)
                for (int i = 0; i < fragment.Length / 32 * each; i++)
                    if (where(lane, i)) copy[i / each * 32 + lane] = copy[i / each * 32 + lane] & ~(uint.MaxValue >> (32 - bits) << (bits * (i % each))) | (uint)special << (bits * (i % each));
            return copy;
        }

        void Check(uint[] result, Func<int, int, bool> touched)
        {
            uint expected = infinite ? 0x7F800000u : 0x7FFFFFFF, plain = BitConverter.SingleToUInt32Bits(k);
            for (int lane = 0; lane < 32; lane++)
                for (int i = 0; i < 4; i++)
                    Assert.Equal(touched(lane / 4 + (i >= 2 ? 8 : 0), lane % 4 * 2 + (i & 1)) ? expected : plain, result[i * 32 + lane]);
        }
    }

    [Theory]
    [InlineData(0, 1, 2, 3)]
    [InlineData(1, 0, 3, 2)]
    [InlineData(2, 3, 0, 1)]
    [InlineData(3, 2, 1, 0)]
    public void MayWriteTheRegistersOfCInAnyOrder(params int[] order)
    {
        uint[] a = Fragment(4, 16, (lane, i) => RowA(lane, i, 16, 16) + 1, "bf16"), b = Fragment(2, 16, (lane, i) => lane / 4 + 1, "bf16");
        uint[] c = Fragment(4, 32, (lane, i) => 1000 * i + lane, "f32");
        uint[] apart = Run("m16n8k16", "f32.bf16.bf16.f32", a, b, c, 4, 2, 4);
        Assert.Equal(apart, Run("m16n8k16", "f32.bf16.bf16.f32", a, b, c, 4, 2, 4, [.. order.Select(i => 30 + i)]));
    }

    /// <summary>The same A twice and another in one register only: what is kept of one instruction must not reach the next.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void SeesEveryChangeOfAnOperand(int changed)
    {
        string body = $$"""
            mov.u32 %r1, %tid.x; mov.u32 %r2, 0x3F803F80; mov.u32 %r3, 0x3F803F80; mov.u32 %r4, 0x3F803F80; mov.u32 %r5, 0x3F803F80;
            mov.u32 %r6, 0x3F803F80; mov.u32 %r7, 0; mov.u32 %r8, 0; mov.u32 %r9, 0; mov.u32 %r10, 0; mov.u32 %r11, 0; mov.u32 %r12, 0; mov.u32 %r13, 0; mov.u32 %r14, 0;
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r7, %r8, %r9, %r10}, {%r2, %r3, %r4, %r5}, {%r6, %r6}, {%r7, %r8, %r9, %r10};
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r7, %r8, %r9, %r10}, {%r2, %r3, %r4, %r5}, {%r6, %r6}, {%r7, %r8, %r9, %r10};
            mov.u32 %r{{2 + changed}}, 0x40004000;
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r11, %r12, %r13, %r14}, {%r2, %r3, %r4, %r5}, {%r6, %r6}, {%r11, %r12, %r13, %r14};
            ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r1, 16; add.s64 %d1, %d1, %d2;
            st.global.v4.b32 [%d1], {%r7, %r9, %r11, %r13};
            """;
        IKernel kernel = _gpu.Load(TestGpu.Program(1, body));
        using DeviceMemory result = _gpu.Device.Allocate(512);
        _gpu.Launch(kernel, 1, 32, 0, result);
        float[] values = _gpu.Download<float>(result);
        // Registers 0 and 2 of A are rows 0 to 7, eight products each; 1 and 3 the rows below.
        float[] expected = [32, 32, changed == 0 ? 24 : 16, changed == 3 ? 24 : 16];
        for (int lane = 0; lane < 32; lane++) Assert.Equal(expected, values[(4 * lane)..(4 * lane + 4)]);
    }

    [Fact]
    public void LoadsAndStoresTiles()
    {
        // Tile m's row r is row 8m + r of the array; lane 4g + t of register m then holds elements 2t, 2t+1 of row g.
        ushort[] tile = Enumerable.Range(0, 32 * 8).Select(i => (ushort)(i * 7 + 1)).ToArray();
        IKernel kernel = _gpu.Load(TestGpu.Program(3, """
            .shared .align 16 .b8 s[1024];
            mov.u32 %r1, %tid.x; mov.u32 %r2, s; shl.b32 %r3, %r1, 4; add.u32 %r3, %r3, %r2;
            ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r1, 16; add.s64 %d1, %d1, %d2;
            ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%d1]; st.shared.v4.u32 [%r3], {%r4, %r5, %r6, %r7};
            bar.sync 0;
            ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r3];
            ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r3, %r15, %r16, %r17}, [%r3];
            ld.param.u64 %d3, [p1]; add.s64 %d3, %d3, %d2; st.global.v4.u32 [%d3], {%r10, %r11, %r12, %r13};
            ld.param.u64 %d4, [p2]; add.s64 %d4, %d4, %d2; st.global.v4.u32 [%d4], {%r3, %r15, %r16, %r17};
            """));
        using DeviceMemory source = _gpu.Upload<ushort>(tile), plain = _gpu.Device.Allocate(512), transposed = _gpu.Device.Allocate(512);
        _gpu.Launch(kernel, 1, 32, 0, source, plain, transposed);
        ushort[] x = _gpu.Download<ushort>(plain), y = _gpu.Download<ushort>(transposed);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int m = 0; m < 4; m++)
            {
                for (int e = 0; e < 2; e++)
                {
                    int at = (lane * 4 + m) * 2 + e, major = lane / 4, minor = 2 * (lane % 4) + e;
                    Assert.Equal(tile[(8 * m + major) * 8 + minor], x[at]);
                    Assert.Equal(tile[(8 * m + minor) * 8 + major], y[at]);
                }
            }
        }
    }

    [Fact]
    public void StoresTilesTransposed()
    {
        uint[] registers = Enumerable.Range(0, 64).Select(i => (uint)(2 * i | (2 * i + 1) << 16)).ToArray();
        IKernel kernel = _gpu.Load(TestGpu.Program(2, """
            .shared .align 16 .b8 s[256];
            mov.u32 %r1, %tid.x; mov.u32 %r2, s; and.b32 %r3, %r1, 15; shl.b32 %r3, %r3, 4; add.u32 %r3, %r3, %r2;
            ld.param.u64 %d1, [p0]; mul.wide.u32 %d2, %r1, 8; add.s64 %d1, %d1, %d2; ld.global.v2.u32 {%r4, %r5}, [%d1];
            stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%r3], {%r4, %r5};
            shl.b32 %r6, %r1, 3; add.u32 %r6, %r6, %r2; ld.shared.v2.u32 {%r7, %r8}, [%r6];
            ld.param.u64 %d3, [p1]; add.s64 %d3, %d3, %d2; st.global.v2.u32 [%d3], {%r7, %r8};
            """));
        using DeviceMemory source = _gpu.Upload<uint>(registers), result = _gpu.Device.Allocate(256);
        _gpu.Launch(kernel, 1, 32, 0, source, result);
        ushort[] shared = _gpu.Download<ushort>(result);
        for (int m = 0; m < 2; m++)
            for (int row = 0; row < 8; row++)
                for (int column = 0; column < 8; column++)
                {
                    int lane = 4 * column + row / 2;
                    Assert.Equal((ushort)(registers[2 * lane + m] >> (16 * (row & 1))), shared[(8 * m + row) * 8 + column]);
                }
    }

    private uint[] Run(string shape, string types, uint[] a, uint[] b, uint[] c, int na, int nb, int nc, int[]? results = null)
    {
        var body = new StringBuilder("mov.u32 %r90, %tid.x; mul.wide.u32 %d9, %r90, 4;\n");
        void Load(string parameter, int count, int first)
        {
            body.Append($"ld.param.u64 %d1, [{parameter}]; add.s64 %d1, %d1, %d9;\n");
            for (int i = 0; i < count; i++) body.Append($"ld.global.b32 %r{first + i}, [%d1+{128 * i}];\n");
        }

        string List(int first, int count) => "{" + string.Join(", ", Enumerable.Range(first, count).Select(i => $"%r{i}")) + "}";
        results ??= [.. Enumerable.Range(40, nc)];
        Load("p0", na, 10);
        Load("p1", nb, 20);
        Load("p2", nc, 30);
        body.Append($"mma.sync.aligned.{shape}.row.col.{types} {{{string.Join(", ", results.Select(n => $"%r{n}"))}}}, {List(10, na)}, {List(20, nb)}, {List(30, nc)};\n");
        body.Append("ld.param.u64 %d1, [p3]; add.s64 %d1, %d1, %d9;\n");
        for (int i = 0; i < nc; i++) body.Append($"st.global.b32 [%d1+{128 * i}], %r{results[i]};\n");
        IKernel kernel = _gpu.Load(TestGpu.Program(4, body.ToString()));
        using DeviceMemory da = _gpu.Upload<uint>(a), db = _gpu.Upload<uint>(b), dc = _gpu.Upload<uint>(c), dd = _gpu.Device.Allocate(128 * nc);
        _gpu.Launch(kernel, 1, 32, 0, da, db, dc, dd);
        return _gpu.Download<uint>(dd);
    }

    // Rows and columns of element i of a lane's fragments, from the ISA's tables.
    private static int RowA(int lane, int i, int bits, int k) => bits switch
    {
        16 => lane / 4 + (i is 0 or 1 or 4 or 5 ? 0 : 8),
        32 => lane / 4 + (i % 2 == 0 ? 0 : 8),
        _ => lane / 4 + (k == 16 ? (i < 4 ? 0 : 8) : (i is < 4 or (>= 8 and < 12) ? 0 : 8)),
    };

    private static int ColumnA(int lane, int i, int bits, int k) => bits switch
    {
        16 => lane % 4 * 2 + (i & 1) + (i >= 4 ? 8 : 0),
        32 => lane % 4 + (i >= 2 ? 4 : 0),
        _ => lane % 4 * 4 + (i & 3) + (i >= 8 ? 16 : 0),
    };

    private static int RowB(int lane, int i, int bits) => bits switch
    {
        16 => lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0),
        32 => lane % 4 + (i >= 1 ? 4 : 0),
        _ => lane % 4 * 4 + (i & 3) + (i >= 4 ? 16 : 0),
    };

    private static int Bits(string type) => type switch { "f16" or "bf16" => 16, "tf32" or "f32" or "s32" => 32, _ => 8 };

    private static uint[] Fragment(int registers, int bits, Func<int, int, double> value, string type)
    {
        var words = new uint[registers * 32];
        int perRegister = 32 / bits;
        for (int lane = 0; lane < 32; lane++)
            for (int i = 0; i < registers * perRegister; i++)
                words[i / perRegister * 32 + lane] |= Encode(value(lane, i), type) << (bits * (i % perRegister));
        return words;
    }

    /// <summary>Values that the type has exactly.</summary>
    private void Fill(double[,] values, string type)
    {
        for (int r = 0; r < values.GetLength(0); r++)
            for (int c = 0; c < values.GetLength(1); c++)
                values[r, c] = type switch
                {
                    "s8" => _random.Next(-128, 128),
                    "u8" => _random.Next(0, 256),
                    "e4m3" or "e5m2" => Decode((uint)(_random.Next(2) << 7 | _random.Next(type == "e4m3" ? 0x50 : 0x48)), type),
                    _ => Decode(Encode(_random.NextDouble() * 4 - 2, type), type),
                };
    }

    private static uint Encode(double value, string type) => type switch
    {
        "f16" => BitConverter.HalfToUInt16Bits((Half)value),
        "bf16" => BitConverter.SingleToUInt32Bits((float)value) >> 16,
        "tf32" => BitConverter.SingleToUInt32Bits((float)value) & 0xFFFFE000,
        "f32" => BitConverter.SingleToUInt32Bits((float)value),
        "s32" => (uint)(int)value,
        "s8" => (byte)(sbyte)value,
        "u8" => (byte)value,
        _ => (uint)Enumerable.Range(0, 256).First(i => Decode((uint)i, type) == value && (value != 0 || i == 0)),
    };

    private static double Decode(uint bits, string type) => type switch
    {
        "f16" => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
        "bf16" => BitConverter.UInt32BitsToSingle(bits << 16),
        "tf32" or "f32" => BitConverter.UInt32BitsToSingle(bits),
        "s32" => (int)bits,
        "s8" => (sbyte)bits,
        "u8" => (byte)bits,
        _ => SmallFloats.Value((byte)bits, type == "e4m3" ? 3 : 2),
    };
}
