using System.Text.RegularExpressions;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Kernels.Transposed;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>Kernels as they are written, less or more one thing: the checks name it, at an instruction that has to do with it.</summary>
public class MistakeTests
{
    private const string Wait = @"(try_wait\S+ %p\d+, \[\S+\+{0}\]), %r\d+;", Expect = @"( *)(mbarrier.arrive.expect_tx\S+ _, \S+), (%r\d+);", FullOfFirstStage = "200704";

    /// <summary>What is looked for in the text, which of the places, what takes its place; what is found, and what is said of it.</summary>
    public static TheoryData<string, int, string, string, string> OfProducts => new()
    {
        { @"fence\.proxy\.async\S*;", 0, "", "proxy-fence", "cp.async.bulk.shared::cluster.global.*writes shared memory through the async proxy" },
        { @"fence\.proxy\.async\S*;", 1, "", "proxy-fence", "cp.reduce.async.bulk.tensor.*reads shared memory through the async proxy" },
        { @"wgmma\.wait_group\S* 0;", 0, "", "warpgroup-registers", "mul.rn.f32.*has not been waited for.*wgmma.mma_async" },
        { @"wgmma\.fence\S*;", 0, "", "warpgroup-registers", "wgmma.mma_async" },
        { @"cp\.async\.bulk\.wait_group\.read 0;", 0, "", "async-copy", "st.shared.*under way.*cp.reduce.async.bulk.tensor" },
        { @"\n[^\n]*bar\.sync[^\n]*", 0, "", "race", "cp.async.bulk.shared::cluster.global|st.shared.v4" },
        { @"\n[^\n]*bar\.sync[^\n]*", 2, "", "race", "cp.reduce.async.bulk.tensor.*nothing orders the two.*st.shared" },
        // The phase that was waited for is the one before: what copies bring is read before it is there, and overwritten while it is read.
        { string.Format(Wait, FullOfFirstStage), 0, "$1, 1;", "race", "cp.async.bulk.tensor.2d.*wgmma.mma_async" },
        { string.Format(Wait, FullOfFirstStage), 0, "$1, 0;", "deadlock", "arrivals" },
        { @"(mbarrier\.init\S+ \S+), 8;", 0, "$1, 9;", "deadlock", "still expects 1 of 9 arrivals" },
        { Expect, 0, "$1add.s32 $3, $3, 16;\n$1$2, $3;", "deadlock", "0 of 1 arrivals and 16 bytes of copies" },
        { Expect, 0, "$1sub.s32 $3, $3, 16;\n$1$2, $3;", "deadlock", "16 bytes more have come than it was told to expect" },
        { @"\n[^\n]*@%p\d+ mbarrier\.arrive[^\n]*", 0, "", "deadlock", "still expects 8 of 8 arrivals" },
    };

    [Theory]
    [MemberData(nameof(OfProducts))]
    public void In_a_product(string pattern, int which, string instead, string kind, string said)
    {
        int[] counts = [600, 70];
        var (a, b) = (TransposedGroups.OfNormal(1, 136, counts), TransposedGroups.OfNormal(2, 72, counts));
        using var run = new KernelRun(new Fp8WeightGradient(136, 72, Blocks: 1) { Groups = 2 }, VirtualGpuChecks.All, text => Edited(text, pattern, which, instead));
        run.Set("a", a.Codes).Set("b", b.Codes).Set("a_scales", a.Scales).Set("b_scales", b.Scales).Set("c", new float[2 * 136 * 72]).Number("tokens", 768).Set("offsets", [0, 600, 670]);
        Expected(run, 768, kind, said);
    }

    public static TheoryData<string, int, string, string, string> OfTransposing => new()
    {
        { @"\n[^\n]*bar\.sync[^\n]*", 0, "", "race", "nothing orders the two" },
        { @"\n[^\n]*bar\.sync[^\n]*", 1, "", "race", "nothing orders the two" },
        { @"\n[^\n]*bar\.sync[^\n]*", 2, "", "race", "nothing orders the two" },
        { @"@%p\d+ st\.global\.v4\.b32", 0, "st.global.v4.b32", "out-of-bounds", "st.global.v4.b32" },
        { @"\n[^\n]*st\.shared\.b32[^\n]*", 0, "", "uninitialised-memory", "ld.shared.v4.b32" },
    };

    [Theory]
    [MemberData(nameof(OfTransposing))]
    public void In_quantising(string pattern, int which, string instead, string kind, string said)
    {
        using var run = new KernelRun(new TransposedQuantizeKernel(new PlainSource(DType.BF16), 264, ScaleRounding.Exact), VirtualGpuChecks.All, text => Edited(text, pattern, which, instead));
        run.Set("x", Samples.Normal(1, 130 * 264, DType.BF16)).Output("qt", 264 * 256).Output("t_scales", 2 * 264).Number("rows", 130);
        Expected(run, 130, kind, said);
    }

    private static string Edited(string text, string pattern, int which, string instead)
    {
        var match = Regex.Matches(text, pattern)[which];
        return text[..match.Index] + match.Result(instead) + text[(match.Index + match.Length)..];
    }

    private static void Expected(KernelRun run, int rows, string kind, string said)
    {
        // What stops the kernel is a finding, too.
        try { run.Launch(rows); }
        catch (DeviceException) { }
        var all = string.Join("\n", run.Findings);
        Assert.True(run.Findings.Any(finding => Finding.NameOf(finding.Kind) == kind && Regex.IsMatch(finding.ToString(), said)), $"no {kind}: {all}");
    }
}
