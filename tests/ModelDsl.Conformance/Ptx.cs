using System.Text;

namespace ModelDsl.Conformance;

/// <summary>The frame of a micro-kernel.</summary>
public static class Ptx
{
    /// <summary>Version and target; the oldest target that has the form.</summary>
    public static string Header(string form) => IsForHopperAlone(form) ? Header(90).Replace("sm_90", "sm_90a") : Header(Capability(form));

    public static string Header(int capability) => $".version 8.4\n.target sm_{capability}\n.address_size 64\n";

    /// <summary>Entry <c>k</c> up to its opening brace.</summary>
    /// <param name="parameters">Such as <c>.u64 out</c>.</param>
    public static string Entry(params string[] parameters) =>
        $".visible .entry k({string.Join(", ", parameters.Select(parameter => ".param " + parameter))})\n{{\n";

    /// <summary>
    /// A whole module around <paramref name="body"/>. When it starts: <c>%d20 %d21 …</c> are the inputs' global addresses and <c>%d29</c> the
    /// output's, <c>%r50</c> is the thread in its block, <c>%r51</c> in the grid, <c>%r52</c> the block, <c>%r53</c> the lane; the rest of
    /// <c>%p0-19 %h0-39 %r0-59 %d0-29</c> is free.
    /// </summary>
    /// <param name="shared">Bytes of the shared array <c>s</c>.</param>
    /// <param name="more">Further parameters, such as <c>.u32 n</c>.</param>
    public static string Kernel(string form, int inputs, string body, int shared = 0, params string[] more)
    {
        var text = new StringBuilder(Header(form));
        text.Append(Entry([.. Enumerable.Range(0, inputs).Select(n => $".u64 p{n}"), ".u64 out", .. more]));
        text.Append(".reg .pred %p<20>; .reg .b16 %h<40>; .reg .b32 %r<60>; .reg .b64 %d<30>;\n");
        if (shared > 0) text.Append($".shared .align 16 .b8 s[{shared}];\n");
        text.Append("mov.u32 %r50, %tid.x; mov.u32 %r52, %ctaid.x; mov.u32 %r51, %ntid.x; mad.lo.s32 %r51, %r52, %r51, %r50; mov.u32 %r53, %laneid;\n");
        for (var n = 0; n < inputs; n++) text.Append($"ld.param.u64 %d{20 + n}, [p{n}]; cvta.to.global.u64 %d{20 + n}, %d{20 + n};\n");
        return text.Append("ld.param.u64 %d29, [out]; cvta.to.global.u64 %d29, %d29;\n").Append(body).Append("\nret;\n}\n").ToString();
    }

    /// <summary>What only <c>sm_90a</c> has.</summary>
    public static bool IsForHopperAlone(string form) => form.StartsWith("wgmma", StringComparison.Ordinal) || form.StartsWith("setmaxnreg", StringComparison.Ordinal);

    /// <summary>80, 89 for FP8, 90 for what came with Hopper.</summary>
    public static int Capability(string form)
    {
        if (form.Contains("e4m3") || form.Contains("e5m2")) return 89;
        var opcode = form[..form.IndexOf('.')];
        var hopper = form.Contains("bf16") && (opcode is "add" or "sub" or "mul" or "atom" or "red" or "setp" || (opcode == "cvt" && !form.Contains("f32")))
            || opcode is "stmatrix" or "elect" or "mbarrier" or "@p mbarrier" || form.Contains("bulk") || form.Contains("mbarrier") || form.Contains("tensormap")
            || form.Contains("cluster") || form.StartsWith("griddep", StringComparison.Ordinal) || form.Contains("proxy") || form.EndsWith(" symbol", StringComparison.Ordinal) || form.Contains(".param.");
        return hopper ? 90 : 80;
    }
}
