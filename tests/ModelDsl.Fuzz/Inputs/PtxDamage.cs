using System.Text;

namespace ModelDsl.Fuzz.Inputs;

/// <summary>Spoils PTX statement by statement: what comes out often still loads, and does something else.</summary>
internal static class PtxDamage
{
    private static readonly string[] Hostile =
    [
        ".reg .b32 %q<1048576>;", ".shared .align 16 .b8 huge[2000000000];", ".local .align 16 .b8 deep[400000];", "@%p1 bra L;", "bra $L__BB0_2;", "call (%r1), square, (%r1);",
        "bar.sync 0;", "bar.sync 3, 64;", "bar.arrive 1, 64;", "bar.warp.sync 0x3;", "ld.global.u32 %r1, [%d1+4096];", "st.shared.v4.u32 [%r11+1000], {%r1, %r2, %r3, %r4};",
        "st.global.u64 [%d1+4092], %d1;", "ld.local.u32 %r1, [mine+60];", "ld.local.u32 %r1, [mine+1000000];", "div.s32 %r1, %r2, 0;", "rem.u32 %r1, %r1, 0;", "shl.b32 %r1, %r1, 99;",
        "cvta.to.global.u64 %d1, %d1;", "cvta.shared.u64 %d1, %d2;", "ld.u32 %r1, [%d1];", "prmt.b32 %r1, %r2, %r3, 0x9999;", "bfi.b32 %r1, %r2, %r3, 40, 40;", "trap;", "exit;", "ret;", "{", "}",
        "atom.shared.cas.b32 %r1, [%r11], %r2, %r3;", "shfl.sync.idx.b32 %r1|%p1, %r1, 99, 31, 0x1;", "vote.sync.any.pred %p1, %p2, 0;", "match.any.sync.b32 %r1, %r2, 0xffffffff;",
        "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r7, %r8, %r9, %r10}, [%r11+1020];", "cp.async.cg.shared.global [%r11+1016], [%d1], 16;", "nanosleep.u32 4000000000;",
        "mov.u64 %d1, 0xffffffffffffffff;", "mov.u64 %d1, 0;", "mov.u32 %r1, 0x80000000;", "div.s32 %r1, %r1, -1;", "setp.lt.f32 %p1, %f1, %f2;", ".pragma \"nounroll\";", ".loc 1 2 3",
        ".global .align 8 .b8 small = pointer;", ".global .align 1 .u8 big[1000000000] = {1};", ".func f1() { call f2; call f2; ret; }", ".entry k() { ret; }", ".section .debug { x",
    ];

    private static readonly string[][] Alike =
    [
        ["u8", "s8", "b8"], ["u16", "s16", "b16", "f16", "bf16"], ["u32", "s32", "b32", "f32", "f16x2", "bf16x2"], ["u64", "s64", "b64", "f64"],
        ["add", "sub", "mul", "min", "max", "div", "rem", "and", "or", "xor", "shl", "shr", "fma", "mad"], ["neg", "abs", "not", "popc", "clz", "brev", "rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh"],
        ["lt", "le", "gt", "ge", "eq", "ne", "ltu", "nan", "num"], ["rn", "rz", "rm", "rp", "rna", "rni", "rzi"], ["lo", "hi", "wide"], ["global", "shared", "local", "const", "param"],
        ["bfly", "idx", "up", "down"], ["v2", "v4"], ["any", "all", "ballot", "uni"], ["sync", "arrive", "red"], ["x1", "x2", "x4"], ["tid", "ntid", "ctaid", "nctaid", "laneid", "warpid"],
        ["m16n8k16", "m16n8k32", "m16n8k8"], ["row", "col"], ["ca", "cg", "cs"], ["exch", "cas", "inc", "dec"], ["ld", "st"], ["bra", "call", "ret", "exit"],
    ];

    private static readonly string[] Numbers = ["0", "1", "2", "3", "4", "7", "8", "15", "16", "31", "32", "33", "63", "64", "128", "255", "1023", "4095", "4096", "65536", "2147483647", "4294967295", "4294967296"];

    public static byte[] Spoil(byte[] input, byte[] other, Random random)
    {
        var lines = Cut(input);
        for (var edits = random.Next(1, 5); edits > 0 && lines.Count > 0; edits--)
        {
            var at = random.Next(lines.Count);
            switch (random.Next(14))
            {
                case 0:
                    lines.RemoveAt(at);
                    break;
                case 1:
                    lines.Insert(random.Next(lines.Count), lines[at]);
                    break;
                case 2:
                    var second = random.Next(lines.Count);
                    (lines[at], lines[second]) = (lines[second], lines[at]);
                    break;
                case 3:
                    var donor = Cut(other);
                    if (donor.Count > 0) lines.Insert(at, donor[random.Next(donor.Count)]);
                    break;
                case 4 or 5:
                    lines.Insert(at, Hostile[random.Next(Hostile.Length)]);
                    break;
                default:
                    Exchange(lines, at, random);
                    break;
            }
        }

        return Encoding.UTF8.GetBytes(string.Concat(lines));
    }

    private static List<string> Cut(byte[] input)
    {
        var lines = new List<string>();
        var text = Encoding.UTF8.GetString(input);
        for (var at = 0; at < text.Length;)
        {
            var end = text.IndexOfAny([';', '\n', '{', '}'], at);
            end = end < 0 ? text.Length : end + 1;
            lines.Add(text[at..end]);
            at = end;
        }

        return lines;
    }

    /// <summary>Another register of the kind, another type of the width, another operation, another number: what the parser and most checks let pass.</summary>
    private static void Exchange(List<string> lines, int at, Random random)
    {
        var tokens = TextDamage.Cut(lines[at]);
        var words = Enumerable.Range(0, tokens.Count).Where(i => char.IsLetterOrDigit(tokens[i][0])).ToArray();
        if (words.Length == 0) return;
        var chosen = words[random.Next(words.Length)];
        var word = tokens[chosen];
        var letters = word.TrimEnd("0123456789".ToCharArray());
        if (Alike.FirstOrDefault(row => row.Contains(word)) is { } row) tokens[chosen] = row[random.Next(row.Length)];
        else if (letters.Length == 0) tokens[chosen] = Numbers[random.Next(Numbers.Length)];
        else if (letters.Length < word.Length && int.TryParse(word[letters.Length..], out var number)) tokens[chosen] = letters + random.Next(number + 2);
        lines[at] = string.Concat(tokens);
    }
}
