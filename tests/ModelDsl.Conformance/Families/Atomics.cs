using System.Numerics;
using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>
/// <c>atom</c> and <c>red</c> in both spaces: threads with a cell of their own, where old and new value are known, and all threads on
/// a few cells, where the end is known whatever the order.
/// </summary>
public static class Atomics
{
    private const int Threads = 64;

    private static readonly (string Operation, string[] Types)[] Forms =
    [
        ("add", ["u32", "s32", "u64", "f32", "f64", "noftz.f16", "noftz.bf16", "noftz.f16x2", "noftz.bf16x2"]),
        ("min", ["u32", "s32", "u64", "s64"]), ("max", ["u32", "s32", "u64", "s64"]),
        ("and", ["b32", "b64"]), ("or", ["b32", "b64"]), ("xor", ["b32", "b64"]), ("inc", ["u32"]), ("dec", ["u32"]),
        ("exch", ["b32", "b64"]), ("cas", ["b16", "b32", "b64"]),
    ];

    public static IEnumerable<Row> Rows =>
        from space in new[] { "global", "shared" }
        from form in Forms
        from type in form.Types
        from row in Of(space, form.Operation, type)
        select row;

    private static IEnumerable<Row> Of(string space, string operation, string type)
    {
        yield return Own("", $"atom.{space}.{operation}.{type}", space, operation, type, returns: true);
        if (operation is "exch" or "cas") yield break;
        foreach (var guard in new[] { "", "@p ", "@!p " })
            yield return Own(guard, $"red.{space}.{operation}.{type}", space, operation, type, returns: false);
        yield return Contended($"red.{space}.{operation}.{type}", space, operation, type);
        yield return Contended($"atom.{space}.{operation}.{type}", space, operation, type);
    }

    private static string Number(string type) => type[(type.IndexOf('.') + 1)..];

    private static int Bytes(string type) => Elementwise.Bytes(Number(type)) is var bytes && type.EndsWith("x2") ? 4 : bytes;

    private static string Register(int bytes, int n) => (bytes switch { 2 => "%h", 4 => "%r", _ => "%d" }) + n;

    /// <summary>Cells 0 to 63 of the output get what was there, cells 64 to 127 are what the operation works on, in scrambled order.</summary>
    private static Row Own(string guard, string form, string space, string operation, string type, bool returns)
    {
        var bytes = Bytes(type);
        var bits = 8 * bytes;
        var (old, b, c, cell) = (Register(bytes, 1), Register(bytes, 2), Register(bytes, 3), Register(bytes, 4));
        var operands = operation == "cas" ? $"{b}, {c}" : b;
        var (shared, address) = (space == "shared", space == "shared" ? "%r32" : "%d12");
        return new Row(guard + form, Ptx.Kernel(form, 1, $"""
            mad.wide.u32 %d10, %r50, {bytes}, %d20; ld.global.b{bits} {b}, [%d10]; ld.global.b{bits} {c}, [%d10+{bytes * Threads}];
            xor.b32 %r30, %r50, 37; mad.wide.u32 %d12, %r30, {bytes}, %d29; add.s64 %d12, %d12, {bytes * Threads};
            mov.u32 %r31, {(shared ? "s" : "0")}; mad.lo.s32 %r32, %r30, {bytes}, %r31;
            {(shared ? $"ld.global.b{bits} {cell}, [%d12]; st.shared.b{bits} [%r32], {cell};" : "")}
            mov.b{bits} {old}, 0; and.b32 %r21, %r50, 3; setp.ne.u32 %p1, %r21, 1;
            {guard.Replace("p ", "%p1 ")}{form} {(returns ? old + ", " : "")}[{address}], {operands};
            {(shared ? $"ld.shared.b{bits} {cell}, [%r32]; st.global.b{bits} [%d12], {cell};" : "")}
            mad.wide.u32 %d11, %r50, {bytes}, %d29; st.global.b{bits} [%d11], {old};
            """, shared ? 8 * Threads : 0), 1, Threads, () =>
        {
            var before = Enumerable.Range(0, Threads).Select(n => Sample(type, n)).ToArray();
            // Half of the comparands of cas are what is there.
            var first = Enumerable.Range(0, Threads).Select(n => operation == "cas" && n % 2 == 0 ? before[n ^ 37] : Sample(type, n * 7 + 100)).ToArray();
            var second = Enumerable.Range(0, Threads).Select(n => Sample(type, n * 5 + 1000)).ToArray();
            var expected = new Expected[2 * Threads];
            for (var n = 0; n < Threads; n++)
            {
                var runs = guard.Length == 0 || (n % 4 != 1) == (guard == "@p ");
                expected[n] = returns && runs ? before[n ^ 37] : 0ul;
                var after = runs ? After(operation, type, before[n ^ 37], first[n], second[n], !shared) : before[n ^ 37];
                expected[Threads + (n ^ 37)] = type == "f64" && FloatFormat.F64.IsNaN(after) ? Expected.NaN : after;
            }
            return new Case([Bits.Bytes([.. first, .. second], bytes)], expected, bytes)
            {
                Output = Bits.Bytes([.. before, .. before], bytes),
                Format = type.Contains('f') ? FloatFormat.Of(Number(type)) : null,
            };
        }) { Capability = Ptx.Capability(form) };
    }

    /// <summary>Every thread on one of four cells; floats are small whole numbers, so that sums are exact.</summary>
    private static Row Contended(string form, string space, string operation, string type)
    {
        var bytes = Bytes(type);
        var bits = 8 * bytes;
        var (old, b, cell) = (Register(bytes, 1), Register(bytes, 2), Register(bytes, 4));
        var shared = space == "shared";
        var blocks = shared ? 1 : 4;
        return new Row(form, Ptx.Kernel(form, 1, $"""
            mad.wide.u32 %d10, %r51, {bytes}, %d20; ld.global.b{bits} {b}, [%d10];
            and.b32 %r30, %r50, 3; mad.wide.u32 %d12, %r30, {bytes}, %d29; mov.u32 %r31, {(shared ? "s" : "0")}; mad.lo.s32 %r32, %r30, {bytes}, %r31;
            setp.lt.u32 %p1, %r50, 4;
            {(shared ? $"@%p1 ld.global.b{bits} {cell}, [%d12]; @%p1 st.shared.b{bits} [%r32], {cell}; bar.sync 0;" : "")}
            {form} {(form.StartsWith("atom", StringComparison.Ordinal) ? old + ", " : "")}[{(shared ? "%r32" : "%d12")}], {b};
            {(shared ? $"bar.sync 0; @%p1 ld.shared.b{bits} {cell}, [%r32]; @%p1 st.global.b{bits} [%d12], {cell};" : "")}
            """, shared ? 32 : 0), blocks, Threads, () =>
        {
            // inc and dec give the same in any order where all wrap at the same value.
            ulong Operand(int n) => operation is "inc" or "dec" ? 20 : type.Contains('f') ? Whole(type, n) : Sample(type, n);
            var operands = Enumerable.Range(0, blocks * Threads).Select(Operand).ToArray();
            ulong Start(int n) => operation is "inc" or "dec" ? (ulong)n : type.Contains('f') ? Whole(type, n) : Sample(type, n);
            ulong[] before = [Start(0), Start(1), Start(2), Start(3)];
            var expected = before.Select((value, n) => (Expected)operands.Where((_, thread) => thread % 4 == n)
                .Aggregate(value, (sum, operand) => After(operation, type, sum, operand, 0, !shared)));
            return new Case([Bits.Bytes(operands, bytes)], [.. expected], bytes) { Output = Bits.Bytes(before, bytes) };
        }) { Detail = "contended", Capability = Ptx.Capability(form) };
    }

    private static ulong Sample(string type, int n)
    {
        if (!type.Contains('f')) return n % 5 == 0 ? Samples.Edges(8 * Bytes(type))[n / 5 % 30] : Samples.Scatter((ulong)n, 8 * Bytes(type));
        var f = FloatFormat.Of(Number(type));
        ulong One(int m) => m % 3 == 0 ? Samples.Edges(f)[m / 3 % 36] : Whole(Number(type).Replace("x2", ""), m) | Samples.Scatter((ulong)m, 3);
        return type.EndsWith("x2") ? One(n) | One(n + 50) << 16 : One(n);
    }

    private static ulong Whole(string type, int n)
    {
        var f = FloatFormat.Of(Number(type));
        ulong One(ulong m) => f.Encode(Real.Integer((int)(Samples.Scatter(m) % 3) - 1), RoundingMode.NearestEven);
        return type.EndsWith("x2") ? One((ulong)n) | One((ulong)n + 5000) << 16 : One((ulong)n);
    }

    private static ulong After(string operation, string type, ulong old, ulong b, ulong c, bool global)
    {
        var number = Number(type);
        if (type.Contains('f'))
        {
            if (!number.EndsWith("x2")) return Sum(FloatFormat.Of(number), old, b, flush: global && number == "f32");
            var f = FloatFormat.Of(number);
            return Sum(f, old & 0xFFFF, b & 0xFFFF, false) | Sum(f, old >> 16, b >> 16, false) << 16;
        }
        var width = int.Parse(type.AsSpan(1));
        BigInteger Value(ulong bits) => type[0] == 's' ? Bits.Signed(bits, width) : bits;
        return operation switch
        {
            "add" => Bits.Low(old + b, width),
            "min" => Value(old) < Value(b) ? old : b,
            "max" => Value(old) > Value(b) ? old : b,
            "and" => old & b,
            "or" => old | b,
            "xor" => old ^ b,
            "inc" => old >= b ? 0 : old + 1,
            "dec" => old == 0 || old > b ? b : old - 1,
            "exch" => b,
            _ => old == b ? c : old,
        };
    }

    /// <summary>On global memory <c>add.f32</c> flushes subnormals, on shared it does not.</summary>
    private static ulong Sum(FloatFormat f, ulong a, ulong b, bool flush)
    {
        if (flush) (a, b) = (f.Flush(a), f.Flush(b));
        var bits = f.Encode(Real.Add(f.Decode(a), f.Decode(b), RoundingMode.NearestEven), RoundingMode.NearestEven);
        return flush ? f.Flush(bits) : bits;
    }
}
