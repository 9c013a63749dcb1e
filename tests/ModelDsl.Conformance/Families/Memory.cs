using ModelDsl.Conformance.Reference;

namespace ModelDsl.Conformance.Families;

/// <summary>
/// <c>ld</c> and <c>st</c> of every type and vector, through every cache hint, guarded and not. Threads read what others were given, so
/// that a wrong address shows; where a guard does not hold, registers and memory keep what they had.
/// </summary>
public static class Memory
{
    private const int Threads = 64;

    private static readonly string[] Scalars = ["b8", "u8", "s8", "b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64"];
    private static readonly string[] Packed = ["b8", "u8", "b16", "b32", "u32", "f32", "b64", "u64", "f64"];

    public static IEnumerable<Row> Rows
    {
        get
        {
            foreach (var (name, type, count) in Shapes())
                foreach (var guard in type[0] is 's' || type is "u16" ? new[] { "" } : ["", "@p ", "@!p "])
                {
                    foreach (var hint in new[] { "", ".nc", ".nc.L1::no_allocate", ".cg" })
                        yield return Load(guard, $"ld.global{hint}{name}", "global", type, count);
                    yield return Load(guard, $"ld.volatile.global{name}", "global", type, count);
                    yield return Load(guard, $"ld.shared{name}", "shared", type, count);
                    yield return Load(guard, $"ld.volatile.shared{name}", "shared", type, count);
                    yield return Store(guard, $"st.global{name}", "global", type, count);
                    yield return Store(guard, $"st.shared{name}", "shared", type, count);
                }
            foreach (var guard in new[] { "", "@p ", "@!p " }) yield return Prefetch(guard);
            yield return Narrowing();
        }
    }

    /// <summary>One, two or four of a type, 16 bytes at most.</summary>
    private static IEnumerable<(string Name, string Type, int Count)> Shapes() =>
        Scalars.Select(type => ($".{type}", type, 1))
            .Concat(new[] { 2, 4 }.SelectMany(count => Packed.Where(type => count * Size(type) <= 16).Select(type => ($".v{count}.{type}", type, count))));

    private static int Size(string type) => int.Parse(type.AsSpan(1)) / 8;

    /// <summary>A byte is held in a wider register, extended by its sign; everything is stored from there with its full width.</summary>
    private static int Held(string type) => Math.Max(2, Size(type));

    private static string Register(string type, int n) => (Held(type) switch { 2 => "%h", 4 => "%r", _ => "%d" }) + (1 + n);

    private static string List(string type, int count) =>
        count == 1 ? Register(type, 0) : "{" + string.Join(", ", Enumerable.Range(0, count).Select(n => Register(type, n))) + "}";

    /// <summary>Words that have been asked for ahead are what they were, whether the address is one that may be read or, past the end, none.</summary>
    private static Row Prefetch(string guard) => new($"{guard}prefetch.global.L2", Ptx.Kernel("prefetch.global.L2", 1, $"""
        mad.wide.u32 %d10, %r50, 4, %d20; add.s64 %d12, %d10, 0x100000000; and.b32 %r21, %r50, 3; setp.ne.u32 %p1, %r21, 1;
        {guard.Replace("p ", "%p1 ")}prefetch.global.L2 [%d10]; {guard.Replace("p ", "%p1 ")}prefetch.global.L2 [%d12];
        ld.global.b32 %r1, [%d10]; mad.wide.u32 %d11, %r50, 4, %d29; st.global.b32 [%d11], %r1;
        """, 0), 1, Threads, () =>
    {
        var words = Enumerable.Range(0, Threads).Select(n => Samples.Scatter((ulong)n, 32)).ToArray();
        return new Case([Bits.Bytes(words, 4)], [.. words.Select(word => (Expected)word)], 4);
    });

    /// <summary>Thread n takes the elements of thread 63 - n.</summary>
    private static Row Load(string guard, string form, string space, string type, int count)
    {
        var (size, held, bytes) = (Size(type), Held(type), Size(type) * count);
        var address = space == "global" ? "%d10" : "%r30";
        var keep = string.Concat(Enumerable.Range(0, count).Select(n => $"mov.b{8 * held} {Register(type, n)}, {77 + n}; "));
        var stores = string.Concat(Enumerable.Range(0, count).Select(n => $"st.global.b{8 * held} [%d11+{n * held}], {Register(type, n)};\n"));
        var fill = space == "global" ? "" : FillShared(bytes);
        return new Row(guard + form, Ptx.Kernel(form, 1, $"""
            {fill}
            sub.u32 %r20, {Threads - 1}, %r50; mad.wide.u32 %d10, %r20, {bytes}, %d20;
            mov.u32 %r29, {(space == "global" ? "0" : "s")}; mad.lo.s32 %r30, %r20, {bytes}, %r29;
            and.b32 %r21, %r50, 3; setp.ne.u32 %p1, %r21, 1; {keep}
            {guard.Replace("p ", "%p1 ")}{form} {List(type, count)}, [{address}];
            mad.wide.u32 %d11, %r50, {held * count}, %d29;
            {stores}
            """, space == "global" ? 0 : Threads * 16), 1, Threads, () =>
        {
            var memory = Contents(bytes);
            var expected = Enumerable.Range(0, Threads * count).Select(n =>
            {
                var (thread, element) = (n / count, n % count);
                if (!Runs(guard, thread)) return (Expected)(ulong)(77 + element);
                ulong value = 0;
                for (var b = size - 1; b >= 0; b--) value = value << 8 | memory[((Threads - 1 - thread) * count + element) * size + b];
                return Bits.Low(type[0] == 's' ? (ulong)Bits.Signed(value, 8 * size) : value, 8 * held);
            }).ToArray();
            return new Case([memory], expected, held);
        });
    }

    private static Row Store(string guard, string form, string space, string type, int count)
    {
        var (size, held, bytes) = (Size(type), Held(type), Size(type) * count);
        var loads = string.Concat(Enumerable.Range(0, count).Select(n => $"ld.global.b{8 * size} {Register(type, n)}, [%d10+{n * size}];\n"));
        var target = space == "global" ? "%d11" : "%r30";
        return new Row(guard + form, Ptx.Kernel(form, 1, $"""
            {(space == "global" ? "" : FillShared(bytes, "0xA5A5A5A5"))}
            mad.wide.u32 %d10, %r50, {bytes}, %d20;
            {loads}
            sub.u32 %r20, {Threads - 1}, %r50; mad.wide.u32 %d11, %r20, {bytes}, %d29;
            mov.u32 %r29, {(space == "global" ? "0" : "s")}; mad.lo.s32 %r30, %r20, {bytes}, %r29;
            and.b32 %r21, %r50, 3; setp.ne.u32 %p1, %r21, 1;
            {guard.Replace("p ", "%p1 ")}{form} [{target}], {List(type, count)};
            {(space == "global" ? "" : CopyOut(bytes))}
            """, space == "global" ? 0 : Threads * 16), 1, Threads, () =>
        {
            var memory = Contents(bytes);
            var expected = Enumerable.Range(0, Threads * bytes).Select(n =>
            {
                var thread = Threads - 1 - n / bytes;
                return (Expected)(Runs(guard, thread) ? memory[thread * bytes + n % bytes] : 0xA5u);
            }).ToArray();
            return new Case([memory], expected, 1);
        });
    }

    private static bool Runs(string guard, int thread) => guard.Length == 0 || (thread % 4 != 1) == (guard == "@p ");

    private static byte[] Contents(int bytes) => [.. Enumerable.Range(0, Threads * bytes).Select(n => (byte)Samples.Scatter((ulong)n, 8))];

    /// <summary>Every word of what the threads will use, from the input or a constant, before a barrier.</summary>
    private static string FillShared(int bytes, string? constant = null) => $"""
        mov.u32 %r40, s; mov.b32 %r41, %r50;
        FILL: setp.ge.u32 %p9, %r41, {Threads * bytes / 4}; @%p9 bra FILLED;
        mad.wide.u32 %d15, %r41, 4, %d20; {(constant is null ? "ld.global.b32 %r42, [%d15];" : $"mov.b32 %r42, {constant};")}
        mad.lo.s32 %r43, %r41, 4, %r40; st.shared.b32 [%r43], %r42;
        add.u32 %r41, %r41, {Threads}; bra FILL;
        FILLED: bar.sync 0;
        """;

    private static string CopyOut(int bytes) => $"""
        bar.sync 0; mov.u32 %r40, s; mov.b32 %r41, %r50;
        COPY: setp.ge.u32 %p9, %r41, {Threads * bytes / 4}; @%p9 ret;
        mad.lo.s32 %r43, %r41, 4, %r40; ld.shared.b32 %r42, [%r43]; mad.wide.u32 %d15, %r41, 4, %d29; st.global.b32 [%d15], %r42;
        add.u32 %r41, %r41, {Threads}; bra COPY;
        """;

    /// <summary>A byte out of a wider register is its lowest.</summary>
    private static Row Narrowing() => new("st.global.u8", Ptx.Kernel("st.global.u8", 0, """
        mul.lo.s32 %r1, %r50, 0x01010377; cvt.u64.u32 %d1, %r50; add.s64 %d1, %d1, %d29; st.global.u8 [%d1], %r1;
        """), 1, 64, () => new Case([], [.. Enumerable.Range(0, 64).Select(n => (Expected)(uint)(byte)(n * 0x77))], 1)) { Detail = "from 32 bits" };
}
