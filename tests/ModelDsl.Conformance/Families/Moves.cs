using ModelDsl.Conformance.Reference;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Conformance.Families;

/// <summary><c>mov</c> in all its shapes, kernel parameters, special registers, addresses.</summary>
public static class Moves
{
    private static readonly string[] Types = ["b16", "u16", "b32", "u32", "s32", "f32", "b64", "u64", "f64"];

    public static IEnumerable<Row> Rows =>
    [
        .. Types.Select(Copy),
        .. Types.Select(Constant),
        .. new[] { "@p ", "@!p " }.SelectMany(guard => Types.Select(type => Guarded(guard, type))),
        .. Vectors(),
        .. new[] { "u32", "s32", "u64", "f32", "b32", "b64", "f64", "u16", "b8" }.Select(Parameter),
        .. new[] { "tid", "ntid", "ctaid", "nctaid" }.SelectMany(name => "xyz".Select(axis => Position(name, axis))),
        Special("%laneid", n => n % 32),
        Special("%lanemask_eq", n => 1L << (n % 32)),
        Special("%lanemask_lt", n => (1L << (n % 32)) - 1),
        Special("%lanemask_le", n => (2L << (n % 32)) - 1),
        Special("%lanemask_gt", n => 0xFFFFFFFF & ~((2L << (n % 32)) - 1)),
        Special("%lanemask_ge", n => 0xFFFFFFFF & ~((1L << (n % 32)) - 1)),
        Symbol(),
        .. Addresses(),
    ];

    private static Row Copy(string type) => Elementwise.Row(
        $"mov.{type}", $"{type} {type}", new Operands(Samples.Edges(8 * Elementwise.Bytes(type))), (a, _, _) => a) with { Detail = "register" };

    private static Row Constant(string type)
    {
        var (text, bits) = type switch
        {
            "f32" => ("0f7F812345", 0x7F812345ul),
            "f64" => ("0dFFF0000000000123", 0xFFF0000000000123),
            _ => ("-1234", Bits.Low(unchecked((ulong)-1234), 8 * Elementwise.Bytes(type))),
        };
        var row = Elementwise.Row($"mov.{type}", $"{type} {type}", new Operands([0, 1]), (_, _, _) => bits, $"mov.{type} $d, {text};");
        return row with { Detail = "constant" };
    }

    /// <summary>Where the guard does not hold, the register keeps what it had.</summary>
    private static Row Guarded(string guard, string type)
    {
        var values = Samples.Edges(8 * Elementwise.Bytes(type));
        return Elementwise.Row(
            $"{guard}mov.{type}", $"{type} {type} {type} pred", Operands.Cross(values, values, [0, 1]), (a, b, p) => (p != 0) == (guard == "@p ") ? b : a,
            $"mov.{type} $d, $a; {guard.Replace("p ", "$c ")}mov.{type} $d, $b;");
    }

    /// <summary>Halves into a word and back: the first item is the lowest.</summary>
    private static IEnumerable<Row> Vectors()
    {
        var halves = Operands.Cross(Samples.Edges(16), 2);
        yield return Elementwise.Row("mov.b32 pack", "b32 b16 b16", halves, (a, b, _) => a | b << 16, "mov.b32 $d, {$a, $b};");
        yield return Elementwise.Row("mov.b32 pack", "b32 b16 b16", halves, (_, b, _) => b << 16, "mov.b32 $d, {0, $b};") with { Detail = "constant below" };
        yield return Elementwise.Row("mov.b32 unpack", "b32 b32", new Operands(Samples.Edges(32)), (a, _, _) => a >> 16 | (a & 0xFFFF) << 16,
            "mov.b32 {%t1, %t2}, $a; mov.b32 $d, {%t2, %t1};");
        var words = Operands.Cross(Samples.Edges(32), 2);
        yield return Elementwise.Row("mov.b64 pack", "b64 b32 b32", words, (a, b, _) => a | b << 32, "mov.b64 $d, {$a, $b};");
        yield return Elementwise.Row("mov.b64 unpack", "b64 b64", new Operands(Samples.Edges(64)), (a, _, _) => a >> 32 | a << 32,
            "mov.b64 {%u1, %u2}, $a; mov.b64 $d, {%u2, %u1};");
    }

    private static Row Parameter(string type)
    {
        var bytes = int.Parse(type.AsSpan(1)) / 8;
        var value = bytes == 8 ? 0xFEDCBA9876543210 : 0x89ABCDEF;
        var form = $"ld.param.{type}";
        var register = bytes switch { < 4 => "%h1", 4 => "%r1", _ => "%d1" };
        var width = Math.Max(2, bytes);
        var body = $"{form} {register}, [n]; st.global.b{8 * width} [%d29], {register};";
        return new Row(form, Ptx.Kernel(form, 0, body, 0, ".u32 before", bytes < 4 ? ".u32 n" : $".{type} n"), 1, 1, () =>
            new Case([], [bytes == 1 ? value & 0xFF : Bits.Low(value, 8 * bytes)], width)
            {
                Scalars = [0x11111111, bytes == 8 ? value : (KernelArgument)(uint)value],
            });
    }

    /// <summary>In a block and a grid of three dimensions, all of unlike size.</summary>
    private static Row Position(string name, char axis)
    {
        var form = $"mov.u32 %{name}.{axis}";
        var (grid, block) = (new Dim3(3, 2, 4), new Dim3(5, 7, 3));
        return new Row(form, Ptx.Kernel(form, 0, $"""
            mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %tid.z; mad.lo.s32 %r2, %r3, 7, %r2; mad.lo.s32 %r1, %r2, 5, %r1;
            mov.u32 %r4, %ctaid.x; mov.u32 %r5, %ctaid.y; mov.u32 %r6, %ctaid.z; mad.lo.s32 %r5, %r6, 2, %r5; mad.lo.s32 %r4, %r5, 3, %r4;
            mad.lo.s32 %r1, %r4, 105, %r1;
            {form.Replace(" ", " %r7, ")};
            mad.wide.u32 %d1, %r1, 4, %d29; st.global.b32 [%d1], %r7;
            """), grid, block, () => new Case([], [.. Enumerable.Range(0, 24 * 105).Select(n => (Expected)(uint)Value(n))], 4));

        int Value(int n) => name switch
        {
            "ntid" => Along(block, axis),
            "nctaid" => Along(grid, axis),
            "tid" => Index(n % 105, block),
            _ => Index(n / 105, grid),
        };
        int Index(int n, Dim3 size) => axis switch { 'x' => n % size.X, 'y' => n / size.X % size.Y, _ => n / size.X / size.Y };
    }

    private static int Along(Dim3 size, char axis) => axis switch { 'x' => size.X, 'y' => size.Y, _ => size.Z };

    private static Row Special(string name, Func<int, long> value)
    {
        var form = $"mov.u32 {name}";
        return new Row(form, Ptx.Kernel(form, 0, $"mov.u32 %r1, {name}; mad.wide.u32 %d1, %r51, 4, %d29; st.global.b32 [%d1], %r1;"), 2, 96,
            () => new Case([], [.. Enumerable.Range(0, 192).Select(n => (Expected)(ulong)value(n))], 4));
    }

    /// <summary>The address of a shared variable, plus an offset, is where its elements are.</summary>
    private static Row Symbol() => new("mov.u32 symbol", Ptx.Kernel("mov.u32", 0, """
        mov.u32 %r1, s; mad.lo.s32 %r2, %r50, 4, %r1; st.shared.b32 [%r2], %r50;
        bar.sync 0; ld.shared.b32 %r3, [s+124]; ld.shared.b32 %r4, [%r1]; mad.lo.s32 %r3, %r4, 1000, %r3;
        mad.wide.u32 %d1, %r51, 4, %d29; st.global.b32 [%d1], %r3;
        """, 128), 1, 32, () => new Case([], [.. Enumerable.Repeat((Expected)31u, 32)], 4));

    private static IEnumerable<Row> Addresses()
    {
        uint[] squares = [.. Enumerable.Range(0, 32).Select(n => (uint)(n * n))];
        Case Squares() => new([Bits.Bytes(squares)], [.. squares.Select(square => (Expected)square)], 4);
        yield return new Row("cvta.to.global.u64", Ptx.Kernel("cvta.to.global.u64", 1, """
            ld.param.u64 %d1, [p0]; cvta.to.global.u64 %d2, %d1; mad.wide.u32 %d3, %r50, 4, %d2; ld.global.b32 %r1, [%d3];
            mad.wide.u32 %d4, %r51, 4, %d29; st.global.b32 [%d4], %r1;
            """), 1, 32, Squares);
        yield return new Row("cvta.global.u64", Ptx.Kernel("cvta.global.u64", 1, """
            cvta.global.u64 %d2, %d20; mad.wide.u32 %d3, %r50, 4, %d2; ld.b32 %r1, [%d3]; mad.wide.u32 %d4, %r51, 4, %d29; st.global.b32 [%d4], %r1;
            """), 1, 32, Squares);
        yield return new Row("cvta.shared.u64", Ptx.Kernel("cvta.shared.u64", 0, """
            mov.u32 %r1, s; cvt.u64.u32 %d1, %r1; cvta.shared.u64 %d2, %d1; mad.wide.u32 %d3, %r50, 4, %d2; st.b32 [%d3], %r50;
            cvta.to.shared.u64 %d4, %d3; cvt.u32.u64 %r2, %d4; ld.shared.b32 %r3, [%r2]; mad.wide.u32 %d5, %r51, 4, %d29; st.global.b32 [%d5], %r3;
            """, 128), 1, 32, () => new Case([], [.. Enumerable.Range(0, 32).Select(n => (Expected)(uint)n)], 4));
    }
}
