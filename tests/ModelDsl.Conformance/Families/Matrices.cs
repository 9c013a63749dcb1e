using System.Text;
using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>
/// <c>mma.sync</c>: fragments by the index formulas of the PTX ISA, small whole numbers whose sums are exact in any order, no two
/// arrangements of which give the same product; and each code of the narrow types, one at a time.
/// </summary>
public static class Matrices
{
    private const int Rows8 = 8, M = 16;

    public static IEnumerable<Row> Rows =>
    [
        .. new[] { "bf16", "f16" }.SelectMany(type => new[] { 8, 16 }.Select(k => Numbers(k, "f32", type, type))),
        Numbers(8, "f16", "f16", "f16"), Numbers(16, "f16", "f16", "f16"),
        Numbers(4, "f32", "tf32", "tf32"), Numbers(8, "f32", "tf32", "tf32"),
        .. new[] { "e4m3", "e5m2" }.SelectMany(a => new[] { "e4m3", "e5m2" }.Select(b => Numbers(32, "f32", a, b))),
        .. new[] { "s8", "u8" }.SelectMany(a => new[] { "s8", "u8" }.SelectMany(b => new[] { 16, 32 }.Select(k => Numbers(k, "s32", a, b)))),
        Codes(16, "bf16"), Codes(16, "f16"), Codes(32, "e4m3"), Codes(32, "e5m2"),
    ];

    /// <summary>Row and column of element <paramref name="i"/> of a lane's part of A, for elements of so many bits.</summary>
    private static (int Row, int Column) OfA(int lane, int i, int bits, int k)
    {
        var (group, thread) = (lane >> 2, lane & 3);
        return bits switch
        {
            16 => (group + (i / 2 % 2 == 0 ? 0 : 8), thread * 2 + (i & 1) + (i >= 4 ? 8 : 0)),
            32 => (group + (i % 2 == 0 ? 0 : 8), thread + (i >= 2 ? 4 : 0)),
            _ => (group + (i / 4 % 2 == 0 ? 0 : 8), thread * 4 + (i & 3) + (i >= 8 ? 16 : 0)),
        };
    }

    private static (int Row, int Column) OfB(int lane, int i, int bits)
    {
        var (group, thread) = (lane >> 2, lane & 3);
        return bits switch
        {
            16 => (thread * 2 + (i & 1) + (i >= 2 ? 8 : 0), group),
            32 => (thread + (i >= 1 ? 4 : 0), group),
            _ => (thread * 4 + (i & 3) + (i >= 4 ? 16 : 0), group),
        };
    }

    private static (int Row, int Column) OfC(int lane, int i) => ((lane >> 2) + (i >= 2 ? 8 : 0), (lane & 3) * 2 + (i & 1));

    private static Row Numbers(int k, string sum, string a, string b)
    {
        // Products of numbers up to 4 add up to 512 at most: exact in half precision, and in the 14 bits that some tensor cores keep of FP8.
        ulong Small(string type, ulong seed)
        {
            var value = (int)(Samples.Scatter(seed) % 9) - 4;
            if (type is "s8") return (ulong)(byte)(sbyte)(value * 29);
            if (type is "u8") return (ulong)(byte)(value * 29);
            if (type is "s32") return (uint)(value * 12345);
            return FloatFormat.Of(type).Encode(Real.Integer(value), RoundingMode.NearestEven) << (type == "tf32" ? 13 : 0);
        }
        return Product(k, sum, a, b, blocks: 24, "", (block, r, c) => Small(a, (ulong)(block * 9973 + r * 131 + c)),
            (block, r, c) => Small(b, (ulong)(block * 7919 + 500000 + r * 137 + c)), (block, r, c) => Small(sum, (ulong)(block * 5 + 900000 + r * 8 + c)));
    }

    /// <summary>Codes in A times a one in each column of B: the sum is the code's value, or NaN beside an infinity.</summary>
    private static Row Codes(int k, string type)
    {
        var f = FloatFormat.Of(type);
        var one = f.Encode(Real.Integer(1), RoundingMode.NearestEven);
        var perPass = M * Rows8;
        var passes = k / Rows8;
        return Product(k, "f32", type, type, passes * ((1 << f.Width) / perPass), "every code", (block, r, c) =>
            c / Rows8 == block % passes ? (ulong)(block / passes * perPass + r * Rows8 + c % Rows8) : 0,
            (block, r, c) => r == block % passes * Rows8 + c ? one : 0, (_, _, _) => 0);
    }

    private static Row Product(
        int k, string sum, string a, string b, int blocks, string detail,
        Func<int, int, int, ulong> cellA, Func<int, int, int, ulong> cellB, Func<int, int, int, ulong> cellC)
    {
        var form = $"mma.sync.aligned.m16n8k{k}.row.col.{sum}.{a}.{b}.{sum}";
        var (bits, sumBits) = (Bits(a), Bits(sum));
        var (inA, inB, inC) = (M * k * bits / 1024, k * Rows8 * bits / 1024, M * Rows8 * sumBits / 1024);
        return new Row(form, Text(form, inA, inB, inC), blocks, 32, Data) { Detail = detail, Capability = Ptx.Capability(form) };

        Case Data()
        {
            var words = new[] { inA, inB, inC }.Select(count => new uint[blocks * count * 32]).ToArray();
            var expected = new Expected[blocks * inC * 32];
            Parallel.For(0, blocks, block =>
            {
                for (var lane = 0; lane < 32; lane++)
                {
                    Pack(words[0], block, inA, lane, bits, i => OfA(lane, i, bits, k), (r, c) => cellA(block, r, c));
                    Pack(words[1], block, inB, lane, bits, i => OfB(lane, i, bits), (r, c) => cellB(block, r, c));
                    Pack(words[2], block, inC, lane, sumBits, i => OfC(lane, i), (r, c) => cellC(block, r, c));
                    for (var register = 0; register < inC; register++)
                    {
                        ulong word = 0;
                        for (var part = 0; part < 32 / sumBits; part++)
                        {
                            var (row, column) = OfC(lane, register * (32 / sumBits) + part);
                            word |= Cell(block, row, column) << (part * sumBits);
                        }
                        expected[(block * inC + register) * 32 + lane] = word;
                    }
                }
            });
            return new Case([.. words.Select(array => Reference.Bits.Bytes(array))], expected, 4)
            {
                Describe = n => $"block {n / 32 / inC}, register {n / 32 % inC}, lane {n % 32}",
            };
        }

        ulong Cell(int block, int row, int column)
        {
            var total = Value(sum, cellC(block, row, column));
            for (var x = 0; x < k; x++)
                total = Real.Add(total, Real.Multiply(Value(a, cellA(block, row, x)), Value(b, cellB(block, x, column))), RoundingMode.NearestEven);
            return sum == "s32" ? (uint)(int)total.ToInteger(RoundingMode.Zero) : FloatFormat.Of(sum).Encode(total, RoundingMode.NearestEven);
        }
    }

    private static void Pack(uint[] words, int block, int registers, int lane, int bits, Func<int, (int Row, int Column)> place, Func<int, int, ulong> cell)
    {
        var perWord = 32 / bits;
        for (var i = 0; i < registers * perWord; i++)
        {
            var (row, column) = place(i);
            words[(block * registers + i / perWord) * 32 + lane] |= (uint)(cell(row, column) << (i % perWord * bits));
        }
    }

    private static Real Value(string type, ulong bits) => type switch
    {
        "s8" => Real.Integer((sbyte)bits),
        "u8" => Real.Integer((byte)bits),
        "s32" => Real.Integer((int)bits),
        "tf32" => FloatFormat.TF32.Decode(bits >> 13),
        _ => FloatFormat.Of(type).Decode(bits),
    };

    private static int Bits(string type) => type switch { "f16" or "bf16" => 16, "tf32" or "f32" or "s32" => 32, _ => 8 };

    /// <summary>Word (block, register, lane) of each fragment.</summary>
    private static string Text(string form, int inA, int inB, int inC)
    {
        var body = new StringBuilder();
        void Each(string address, int count, Func<int, string> access)
        {
            body.Append($"mul.lo.s32 %r40, %r52, {count * 32}; add.s32 %r40, %r40, %r53; mad.wide.u32 %d1, %r40, 4, {address};\n");
            for (var n = 0; n < count; n++) body.Append(access(n));
        }
        string List(int first, int count) => "{" + string.Join(", ", Enumerable.Range(first, count).Select(n => $"%r{n}")) + "}";
        Each("%d20", inA, n => $"ld.global.b32 %r{n}, [%d1+{128 * n}];\n");
        Each("%d21", inB, n => $"ld.global.b32 %r{8 + n}, [%d1+{128 * n}];\n");
        Each("%d22", inC, n => $"ld.global.b32 %r{16 + n}, [%d1+{128 * n}];\n");
        body.Append($"{form} {List(24, inC)}, {List(0, inA)}, {List(8, inB)}, {List(16, inC)};\n");
        Each("%d29", inC, n => $"st.global.b32 [%d1+{128 * n}], %r{24 + n};\n");
        return Ptx.Kernel(form, 3, body.ToString());
    }
}
