namespace ModelDsl.Conformance.Families;

/// <summary>
/// Branches that take lanes apart and bring them together: each thread's result is that of a plain program, and a shuffle after the last
/// meeting point shows that all are there.
/// </summary>
public static class ControlFlow
{
    /// <summary>Adds the result of the lane across, then stores.</summary>
    private const string Finish = """

        shfl.sync.bfly.b32 %r30, %r1, 21, 31, 0xFFFFFFFF; mad.lo.s32 %r1, %r30, 65536, %r1;
        mad.wide.u32 %d1, %r51, 4, %d29; st.global.b32 [%d1], %r1;
        """;

    /// <summary>Stores the thread's number modulo 4, and sets the predicate where that is 2.</summary>
    private const string Two = "and.b32 %r2, %r50, 3; setp.eq.u32 %p1, %r2, 2; st.global.b32 [%d1], %r2;";

    public static IEnumerable<Row> Rows =>
    [
        Of("bra", "if and else", """
            mov.b32 %r1, %r50; and.b32 %r2, %r50, 3; setp.lt.u32 %p1, %r2, 2;
            @%p1 bra THEN;
            mad.lo.s32 %r1, %r1, 3, 1; bra END;
            THEN: mad.lo.s32 %r1, %r1, 7, 2;
            END:
            """, n => n % 4 < 2 ? n * 7 + 2 : n * 3 + 1),
        Of("@p bra", "nest of four", Nest("@%p1"), NestResult),
        Of("@!p bra", "nest of four", Nest("@!%p1"), n => NestResult(n ^ 0xF)),
        Of("@p bra", "loops of unlike length", """
            mov.b32 %r1, 0; mov.b32 %r2, 0; rem.u32 %r3, %r50, 13;
            LOOP: setp.ge.u32 %p1, %r2, %r3; @%p1 bra END;
            mad.lo.s32 %r1, %r1, 3, %r2; add.s32 %r2, %r2, 1; bra LOOP;
            END:
            """, n => Loop(n % 13)),
        Of("@!p bra", "loop inside a loop", """
            mov.b32 %r1, 0; mov.b32 %r2, 0; and.b32 %r4, %r50, 7;
            OUTER: mov.b32 %r3, 0;
            INNER: mad.lo.s32 %r1, %r1, 5, %r3; add.s32 %r3, %r3, 1; add.s32 %r5, %r2, %r4; setp.gt.u32 %p1, %r3, %r5; @!%p1 bra INNER;
            add.s32 %r2, %r2, 1; setp.ge.u32 %p2, %r2, %r4; @!%p2 bra OUTER;
            """, LoopInLoop),
        Of("@p bra", "break and continue", """
            mov.b32 %r1, 1; mov.b32 %r2, 0; and.b32 %r4, %r50, 15;
            LOOP: setp.eq.u32 %p1, %r2, %r4; @%p1 bra OUT;
            and.b32 %r5, %r2, 1; setp.ne.u32 %p2, %r5, 0; @%p2 bra NEXT;
            mad.lo.s32 %r1, %r1, 3, %r50;
            NEXT: add.s32 %r2, %r2, 1; setp.lt.u32 %p3, %r2, 12; @%p3 bra LOOP;
            mul.lo.s32 %r1, %r1, 2;
            OUT:
            """, BreakAndContinue),
        Of("bra", "two ways into one block", """
            mov.b32 %r1, %r50; and.b32 %r2, %r50, 1; setp.ne.u32 %p1, %r2, 0; and.b32 %r3, %r50, 2; setp.ne.u32 %p2, %r3, 0;
            @%p1 bra A; @%p2 bra B; add.s32 %r1, %r1, 100; bra END;
            A: mul.lo.s32 %r1, %r1, 2; @%p2 bra END;
            B: mad.lo.s32 %r1, %r1, 3, 1;
            END:
            """, n => n % 2 != 0 ? (n & 2) != 0 ? n * 2 : n * 6 + 1 : (n & 2) != 0 ? n * 3 + 1 : n + 100),
        Of("bra.uni", "", "mov.b32 %r1, 5; bra.uni OVER; mov.b32 %r1, 6; OVER: add.s32 %r1, %r1, %r50;", n => n + 5),
        Of("@p bra.uni", "", Uniform("@%p1"), n => n < 32 ? n * 2 : n + 9),
        Of("@!p bra.uni", "", Uniform("@!%p1"), n => n >= 32 ? n * 2 : n + 9),
        Early("ret", "bra OUT; st.global.b32 [%d1], 1; OUT: st.global.b32 [%d1], %r50; ret; st.global.b32 [%d1], 2;", n => n),
        Early("@p ret", $"{Two} @%p1 ret; st.global.b32 [%d1], %r50;", n => n % 4 == 2 ? 2 : n),
        Early("@!p ret", $"{Two} @!%p1 ret; st.global.b32 [%d1], %r50;", n => n % 4 != 2 ? n % 4 : n),
        Early("exit", $"{Two} @!%p1 bra OUT; exit; OUT: st.global.b32 [%d1], %r50;", n => n % 4 == 2 ? 2 : n),
        Early("@p trap", "setp.gt.u32 %p1, %r50, 1000; @%p1 trap; st.global.b32 [%d1], %r50;", n => n),
        Early("@!p trap", "setp.le.u32 %p1, %r50, 1000; @!%p1 trap; st.global.b32 [%d1], %r50;", n => n),
    ];

    private static Row Of(string form, string detail, string body, Func<int, int> result) =>
        new(form, Ptx.Kernel("bra.", 0, body + Finish), 1, 64, () => new Case(
            [], [.. Enumerable.Range(0, 64).Select(n => (Expected)(uint)(result(n / 32 * 32 + (n % 32 ^ 21)) * 65536 + result(n)))], 4)) { Detail = detail };

    private static Row Early(string form, string body, Func<int, int> result) =>
        new(form, Ptx.Kernel("ret.", 0, "mad.wide.u32 %d1, %r51, 4, %d29;\n" + body), 1, 64,
            () => new Case([], [.. Enumerable.Range(0, 64).Select(n => (Expected)(uint)result(n))], 4));

    /// <summary>Sixteen paths by four bits of the thread's number.</summary>
    private static string Nest(string guard)
    {
        var labels = 0;
        string Level(int bit)
        {
            if (bit == 4) return "";
            var id = labels++;
            return $"""
                and.b32 %r2, %r50, {1 << bit}; setp.ne.u32 %p1, %r2, 0; {guard} bra SET{id};
                mad.lo.s32 %r1, %r1, 3, {bit}; {Level(bit + 1)} bra MET{id};
                SET{id}: mad.lo.s32 %r1, %r1, 5, {bit}; {Level(bit + 1)}
                MET{id}: add.s32 %r1, %r1, 1;
                """;
        }
        return "mov.b32 %r1, 1;\n" + Level(0);
    }

    private static int NestResult(int n)
    {
        int Level(int bit, int x) => bit == 4 ? x : Level(bit + 1, (n >> bit & 1) != 0 ? x * 5 + bit : x * 3 + bit) + 1;
        return Level(0, 1);
    }

    private static int Loop(int count)
    {
        var x = 0;
        for (var i = 0; i < count; i++) x = x * 3 + i;
        return x;
    }

    private static int LoopInLoop(int n)
    {
        var (x, outer) = (0, 0);
        do
        {
            for (var inner = 0; inner <= outer + n % 8; inner++) x = unchecked(x * 5 + inner);
            outer++;
        }
        while (outer < n % 8);
        return x;
    }

    private static int BreakAndContinue(int n)
    {
        var x = 1;
        for (var i = 0; i < 12; i++)
        {
            if (i == n % 16) return x;
            if (i % 2 == 0) x = unchecked(x * 3 + n);
        }
        return unchecked(x * 2);
    }

    private static string Uniform(string guard) => $"""
        mov.b32 %r1, %r50; setp.lt.u32 %p1, %r50, 32; {guard} bra.uni TWICE; add.s32 %r1, %r1, 9; bra.uni END;
        TWICE: mul.lo.s32 %r1, %r1, 2;
        END:
        """;
}
