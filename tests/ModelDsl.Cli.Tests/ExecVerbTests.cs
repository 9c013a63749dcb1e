using System.Text.Json;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary><c>dsmc exec</c>: kernels of any PTX text, from the command line.</summary>
public sealed class ExecVerbTests : IDisposable
{
    private const string Text = """
        .version 8.4
        .target sm_80
        .address_size 64
        .visible .entry axpy(.param .u64 x, .param .u64 y, .param .f32 a, .param .u32 n)
        {
            .reg .pred %p; .reg .b32 %r<6>; .reg .f32 %f<4>; .reg .b64 %d<6>;
            ld.param.u64 %d1, [x]; ld.param.u64 %d2, [y]; ld.param.f32 %f1, [a]; ld.param.u32 %r1, [n];
            mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x; mad.lo.u32 %r5, %r2, %r3, %r4;
            setp.ge.u32 %p, %r5, %r1; @%p ret;
            mul.wide.u32 %d3, %r5, 4; add.u64 %d1, %d1, %d3; add.u64 %d2, %d2, %d3;
            ld.global.f32 %f2, [%d1]; ld.global.f32 %f3, [%d2]; fma.rn.f32 %f3, %f1, %f2, %f3; st.global.f32 [%d2], %f3; ret;
        }
        .visible .entry members(.param .align 8 .b8 s[24], .param .u64 out)
        {
            .reg .b32 %r<4>; .reg .f64 %g; .reg .b64 %d<4>; .reg .b16 %h;
            ld.param.u32 %r1, [s]; ld.param.f64 %g, [s+8]; ld.param.u8 %h, [s+16]; ld.param.u64 %d1, [out];
            st.global.u32 [%d1], %r1; st.global.f64 [%d1+8], %g; st.global.u8 [%d1+16], %h; ret;
        }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly string _ptx;

    public ExecVerbTests() => _ptx = _folder.Write("k.ptx", Text);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Buffers_are_filled_and_all_written_afterwards()
    {
        var (first, second) = (_folder.File("first.safetensors"), _folder.File("second.safetensors"));
        var run = Axpy("buf:f32[4,25]:iota", "buf:f32[100]:fill(0.5)", "f32:-2", "u32:99", "--out", first);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"^axpy on virtual GPU \(\d+ cores?\): grid \(2, 1, 1\), block \(64, 1, 1\), [\d.]+ ms, \d+ warp instructions\n$", run.Out);
        var stored = Safetensors.Load(first);
        Assert.Equal(["arg0", "arg1"], stored.Keys.Order());
        Assert.Equal([4, 25], stored["arg0"].Shape);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => i < 99 ? 0.5f - 2 * i : 0.5f), stored["arg1"].Floats());

        Assert.Equal(0, Axpy($"buf:{first}#arg1", $"buf:f32[10,10]:{first}#arg0", "f32:1", "u32:100", "--out", second).ExitCode);
        Assert.Equal(stored["arg1"].Floats().Zip(stored["arg0"].Floats(), (x, y) => x + y), Safetensors.Load(second)["arg1"].Floats());
    }

    [Fact]
    public void Random_numbers_depend_on_the_seed_alone()
    {
        float[] Values(string content)
        {
            var path = _folder.File("random.safetensors");
            Assert.Equal(0, Axpy($"buf:f32[1000]:{content}", "buf:f32[100]:zeros", "f32:0", "u32:0", "--out", path).ExitCode);
            return Safetensors.Load(path)["arg0"].Floats();
        }
        var values = Values("random(7)");
        Assert.Equal(values, Values("random(7)"));
        Assert.NotEqual(values, Values("random(8)"));
        Assert.All(values, value => Assert.InRange(value, -1f, MathF.BitDecrement(1)));
        Assert.InRange(values.Average(), -0.1f, 0.1f);
        Assert.All(Values("random(7,2,3)"), value => Assert.InRange(value, 2f, 3f));
    }

    [Fact]
    public void Structures_are_laid_out_as_in_C()
    {
        var path = _folder.File("out.safetensors");
        foreach (var argument in new[] { "struct(i32:-5,f64:1.5,u8:0xAB)", "bytes:0xFBFFFFFF 00000000 000000000000F83F AB00000000000000".Replace(" ", "") })
        {
            var run = Dsmc.Run("exec", _ptx, "--kernel", "members", "--arg", argument, "--arg", "buf:u8[24]:zeros", "--out", path);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            var bytes = Safetensors.Load(path)["arg1"].Bytes;
            Assert.Equal((-5, 1.5, 0xAB), (BitConverter.ToInt32(bytes), BitConverter.ToDouble(bytes, 8), bytes[16]));
        }
    }

    [Fact]
    public void A_fault_is_one_line_and_has_an_exit_code_of_its_own()
    {
        var run = Axpy("buf:f32[70]:zeros", "buf:f32[100]:zeros", "f32:1", "u32:100");
        Assert.Equal((ExitCode.Findings, ""), (run.ExitCode, run.Out));
        Assert.Matches(@"^dsmc: kernel 'axpy', block \(1, 0, 0\), thread \(6, 0, 0\): out of bounds: 4 bytes at 0x\w+: it is 0 bytes past the end of the allocation .* \| ptx line 11: ld\.global\.f32 [^\n]*\n$", run.Error);
    }

    [Fact]
    public void Checks_give_findings_a_line_each()
    {
        var run = Axpy("buf:f32[70]:zeros", "buf:f32[100]:zeros", "f32:1", "u32:100", "--check", "memory");
        Assert.Equal((ExitCode.Findings, ""), (run.ExitCode, run.Out));
        Assert.Matches(@"^out-of-bounds: kernel 'axpy', line 11 'ld\.global\.f32 [^\n]*; remedy: [^\n]*\n$", run.Error);
        Assert.Equal((0, ""), Axpy("buf:f32[100]:ones", "buf:f32[100]:zeros", "f32:1", "u32:100", "--check", "all") is var clean ? (clean.ExitCode, clean.Error) : default);
        Assert.Contains("is no check", Axpy("u64:0", "u64:0", "f32:1", "u32:1", "--check", "speling").Error);
    }

    [Fact]
    public void The_result_as_JSON()
    {
        using var json = JsonDocument.Parse(Axpy("buf:f32[4]:ones", "buf:f32[2,2]:zeros", "f32:1", "u32:4", "--json").Out);
        Assert.Equal("axpy", json.RootElement.GetProperty("kernel").GetString());
        Assert.Equal("""{"name":"arg1","dtype":"F32","shape":[2,2]}""", json.RootElement.GetProperty("buffers")[1].GetRawText());
        Assert.Equal(0, json.RootElement.GetProperty("findings").GetArrayLength());
    }

    [Theory]
    [InlineData("several kernels; choose with --kernel:\n    axpy(.u64 x, .u64 y, .f32 a, .u32 n)\n    members(.align 8 .b8 s[24], .u64 out)", "")]
    [InlineData("has no kernel 'nobody'; it has:\n    axpy", "--kernel nobody")]
    [InlineData("'axpy' takes 4 arguments, not 1: axpy(.u64 x", "--kernel axpy --arg i32:1")]
    [InlineData("--arg i32:1 has 4 bytes, but parameter 0 is .align 8 .b8 s[24] of 24", "--kernel members --arg i32:1 --arg u64:0")]
    [InlineData("'zeroes' with 0 values is no content; there are zeros, ones", "--kernel members --arg buf:f32[4]:zeroes")]
    [InlineData("there is no type 'f33'", "--kernel members --arg f33:4")]
    [InlineData("'300' is no u8, which goes from 0 to 255", "--kernel members --arg u8:300")]
    [InlineData("'-1' is no u32", "--kernel members --arg u32:-1")]
    [InlineData("'0x1ff' is no i8", "--kernel members --arg i8:0x1ff")]
    [InlineData("'x' is no f32", "--kernel members --arg f32:x")]
    [InlineData("expected TYPE:VALUE", "--kernel members --arg nonsense")]
    [InlineData("a buffer has at most", "--kernel members --arg buf:f64[9999999999,9999999999]:zeros")]
    [InlineData("'-4' is not a size", "--kernel members --arg buf:f64[-4]:zeros")]
    [InlineData("3 values are given for 4 elements", "--kernel members --arg buf:f64[4]:values(1,2,3)")]
    [InlineData("pairs of hexadecimal digits", "--kernel members --arg bytes:0x123")]
    [InlineData("struct( has no )", "--kernel members --arg struct(i32:1")]
    [InlineData("'0' is not a whole number from 1 to", "--grid 0")]
    [InlineData("'-3' is not a whole number from 1 to", "--block 4,-3")]
    [InlineData("'99999999999' is not a whole number", "--grid 99999999999")]
    [InlineData("at most three numbers", "--block 1,2,3,4")]
    [InlineData("does not fall into clusters of (2, 1, 1)", "--grid 3 --cluster 2")]
    [InlineData("--shared -1: a number of bytes", "--shared -1")]
    public void Mistakes_are_told_in_words(string expected, string options)
    {
        var run = Dsmc.Run(["exec", _ptx, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Equal((ExitCode.Usage, ""), (run.ExitCode, run.Out));
        Assert.Contains(expected, run.Error);
    }

    [Theory]
    [InlineData("a block of (1025, 1, 1) threads cannot be launched; at most 1024", "--block 1025")]
    [InlineData("a grid of (1, 70000, 1) blocks cannot be launched", "--grid 1,70000")]
    [InlineData("bytes of shared memory are wanted, a block has at most", "--shared 300000")]
    public void The_device_refuses_what_hardware_would(string expected, string options)
    {
        var run = Dsmc.Run(["exec", _ptx, "--kernel", "axpy", "--arg", "u64:0", "--arg", "u64:0", "--arg", "f32:0", "--arg", "u32:0", .. options.Split(' ')]);
        Assert.Equal(ExitCode.Trouble, run.ExitCode);
        Assert.Contains(expected, run.Error);
    }

    [Fact]
    public void Files_that_are_missing_or_no_PTX_are_told()
    {
        Assert.Contains("cannot read", Fails("nowhere.ptx"));
        Assert.Contains("ptx(1,1)", Fails(_folder.Write("bad.ptx", "hello")));
        Assert.Contains("has no kernel", Fails(_folder.Write("empty.ptx", ".version 8.4\n.target sm_80\n.address_size 64\n")));
        Assert.Contains("there is no file", Dsmc.Run("exec", _ptx, "--arg", "buf:missing.safetensors#x").Error);
        Assert.Contains("there is no such folder", Dsmc.Run("exec", _ptx, "--out", "/nowhere/at/all.safetensors").Error);
    }

    private static string Fails(string file)
    {
        var run = Dsmc.Run("exec", file);
        Assert.Equal(ExitCode.Trouble, run.ExitCode);
        return run.Error;
    }

    private Dsmc Axpy(string x, string y, string a, string n, params string[] more) =>
        Dsmc.Run(["exec", _ptx, "--kernel", "axpy", "--grid", "2", "--block", "64", "--arg", x, "--arg", y, "--arg", a, "--arg", n, .. more]);
}
