using System.Text;
using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance;

/// <summary>Rows whose kernel applies one instruction to each element: a thread loads its sources, runs the form, stores the result.</summary>
public static class Elementwise
{
    private const int Threads = 128;

    /// <param name="form">The instruction, written before its operands.</param>
    /// <param name="types">Result, then sources, as in opcodes: <c>f32 f32 s32</c>; <c>pred</c> is stored as 0 or 1, and read from a b32.</param>
    /// <param name="operands">One column per source.</param>
    /// <param name="expected">The result from the bits of the sources, independent of any device.</param>
    /// <param name="body">
    /// PTX that runs the form, where that takes more than <c>form d, a, b, c;</c>. <c>$d $a $b $c</c> are result and sources; <c>%p1 %p2</c>,
    /// <c>%t1 %t2</c> (16 bits), <c>%u1 %u2</c> (32) and <c>%v1 %v2</c> (64) are free.
    /// </param>
    public static Row Row(
        string form, string types, Operands operands, Func<ulong, ulong, ulong, Expected> expected, string? body = null, string bound = "")
    {
        var all = types.Split(' ');
        var (result, sources) = (all[0], all[1..]);
        var blocks = (operands.Count + Threads - 1) / Threads;
        return new Row(form, Kernel(form, result, sources, body), blocks, Threads, Data) { Capability = Ptx.Capability(form) };

        Case Data()
        {
            var cells = new Expected[operands.Count];
            Parallel.For(0, cells.Length, n => cells[n] = expected(operands.At(0, n), operands.At(1, n), operands.At(2, n)));
            var inputs = sources.Select((type, source) => Bits.Bytes(operands.Columns[source], Bytes(type))).ToArray();
            return new Case(inputs, cells, Bytes(result))
            {
                Scalars = [operands.Count],
                Format = FormatOf(result),
                Bound = bound,
                Describe = n => string.Join(", ", sources.Select((type, source) => Bits.Hex(operands.At(source, n), Bytes(type)))),
            };
        }
    }

    /// <summary>Bytes in a register and in the buffers of this type.</summary>
    public static int Bytes(string type) => type switch
    {
        "pred" or "f16x2" or "bf16x2" or "tf32" => 4,
        "e4m3x2" or "e5m2x2" => 2,
        _ => int.Parse(type.AsSpan().TrimStart("bfsu")) / 8,
    };

    private static FloatFormat? FormatOf(string type) => type is "f32" or "f64" or "f16" or "bf16" ? FloatFormat.Of(type) : null;

    private static string Kernel(string form, string result, string[] sources, string? body)
    {
        var text = new StringBuilder(Ptx.Header(form));
        text.Append(Ptx.Entry([.. sources.Select((_, n) => $".u64 p{n}"), ".u64 out", ".u32 count"]));
        text.Append("""
            .reg .pred %p<10>; .reg .b16 %h<10>; .reg .b32 %r<20>; .reg .b64 %d<20>;
            .reg .b16 %t<10>; .reg .b32 %u<10>; .reg .b64 %v<10>;
            mov.u32 %r10, %ctaid.x; mov.u32 %r11, %ntid.x; mov.u32 %r12, %tid.x;
            mad.lo.s32 %r13, %r10, %r11, %r12;
            ld.param.u32 %r14, [count]; setp.ge.u32 %p9, %r13, %r14; @%p9 ret;

            """);
        for (var n = 0; n < sources.Length; n++)
        {
            text.Append($"ld.param.u64 %d10, [p{n}]; mad.wide.u32 %d11, %r13, {Bytes(sources[n])}, %d10; ");
            text.Append($"ld.global.b{8 * Bytes(sources[n])} {Raw(sources[n], n + 1)}, [%d11];\n");
            if (sources[n] == "pred") text.Append($"setp.ne.u32 {Register("pred", n + 1)}, %r{n + 1}, 0;\n");
        }
        string[] names = [Register(result, 0), .. sources.Select((type, n) => Register(type, n + 1))];
        body ??= $"{form} {string.Join(", ", new[] { "$d", "$a", "$b", "$c" }.Take(names.Length))};";
        foreach (var (name, place) in names.Zip(["$d", "$a", "$b", "$c"])) body = body.Replace(place, name);
        text.Append(body).Append('\n');
        if (result == "pred") text.Append("selp.b32 %r0, 1, 0, %p0;\n");
        text.Append($"ld.param.u64 %d10, [out]; mad.wide.u32 %d11, %r13, {Bytes(result)}, %d10; ");
        text.Append($"st.global.b{8 * Bytes(result)} [%d11], {Raw(result, 0)};\n");
        return text.Append("ret;\n}\n").ToString();
    }

    private static string Register(string type, int n) => type == "pred" ? $"%p{n}" : Raw(type, n);

    private static string Raw(string type, int n) => Bytes(type) switch { 2 => $"%h{n}", 4 => $"%r{n}", _ => $"%d{n}" };
}
