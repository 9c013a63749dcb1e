using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary><c>dsmc exec</c> with tensor maps and clusters: a tile of one tensor goes through shared memory into another.</summary>
public sealed class ExecTensorMapTests : IDisposable
{
    private const string Text = """
        .version 8.4
        .target sm_90a
        .address_size 64
        .visible .entry move(.param .align 64 .b8 from[128], .param .align 64 .b8 to[128], .param .u64 ranks)
        {
            .reg .pred %p<4>; .reg .b32 %r<12>; .reg .b64 %d<6>;
            .shared .align 1024 .b8 s[4096]; .shared .align 8 .b64 bar;
            mov.b64 %d1, from; cvta.param.u64 %d1, %d1; mov.b64 %d2, to; cvta.param.u64 %d2, %d2; ld.param.u64 %d3, [ranks];
            mov.u32 %r1, s; mov.u32 %r2, bar; mov.u32 %r3, %ctaid.x; shl.b32 %r4, %r3, 3; mov.u32 %r5, 0;
            mbarrier.init.shared::cta.b64 [%r2], 1; fence.mbarrier_init.release.cluster;
            mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 512;
            cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%d1, {%r5, %r4}], [%r2];
            AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r2], 0; @!%p1 bra AGAIN;
            cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%d2, {%r5, %r4}], [%r1];
            cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0;
            mov.u32 %r6, %cluster_ctarank; mul.wide.u32 %d4, %r3, 4; add.s64 %d3, %d3, %d4; st.global.u32 [%d3], %r6;
            ret;
        }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly string _ptx;

    public ExecTensorMapTests() => _ptx = _folder.Write("k.ptx", Text);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "")]
    [InlineData(",swizzle=64B", ",swizzle=64")]
    [InlineData(",sizes=16x16,strides=64", ",fill=zero,steps=1x1")]
    public void Tiles_are_moved_by_maps(string from, string to)
    {
        var path = _folder.File("out.safetensors");
        var run = Dsmc.Run(
            "exec", _ptx, "--grid", "2", "--cluster", "2", "--out", path,
            "--arg", $"tensormap(buf:i32[16,16]:iota,box=8x16{from})", "--arg", $"tensormap(buf:i32[16,16]:zeros,box=8x16{to})", "--arg", "buf:i32[2]:fill(9)");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var stored = Safetensors.Load(path);
        Assert.Equal(["arg0", "arg1", "arg2"], stored.Keys.Order());
        Assert.Equal(Enumerable.Range(0, 256), Integers(stored["arg1"].Bytes));
        Assert.Equal([0, 1], Integers(stored["arg2"].Bytes));
    }

    [Fact]
    public void A_map_may_be_of_another_arguments_buffer()
    {
        var path = _folder.File("out.safetensors");
        var run = Dsmc.Run(
            "exec", _ptx, "--grid", "1", "--out", path,
            "--arg", "tensormap(buf:i32[16,16]:iota,box=8x16)", "--arg", "tensormap(@0,box=8x16,sizes=8x8,strides=64)", "--arg", "buf:i32[2]:zeros");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(Enumerable.Range(0, 256), Integers(Safetensors.Load(path)["arg0"].Bytes));
    }

    [Theory]
    [InlineData("box= is missing", "tensormap(buf:i32[16,16]:zeros)")]
    [InlineData("'big' is no size", "tensormap(buf:i32[16,16]:zeros,box=bigx4)")]
    [InlineData("there is no swizzle '48'", "tensormap(buf:i32[16,16]:zeros,box=8x16,swizzle=48)")]
    [InlineData("'colour=red' is not known", "tensormap(buf:i32[16,16]:zeros,box=8x16,colour=red)")]
    [InlineData("tensormap( has no )", "tensormap(buf:i32[16,16]:zeros")]
    [InlineData("the tensor has 2 dimensions, the box 1", "tensormap(buf:i32[16,16]:zeros,box=8)")]
    [InlineData("no argument before it is a buffer of number 7", "tensormap(@7,box=8x16)")]
    [InlineData("'i32:4' is no buffer", "tensormap(i32:4,box=8x16)")]
    public void Mistakes_are_told_in_words(string expected, string map)
    {
        var run = Dsmc.Run("exec", _ptx, "--arg", map, "--arg", "tensormap(buf:i32[16,16]:zeros,box=8x16)", "--arg", "buf:i32[2]:zeros");
        Assert.Equal((ExitCode.Usage, ""), (run.ExitCode, run.Out));
        Assert.Contains(expected, run.Error);
    }

    [Fact]
    public void What_the_hardware_cannot_do_is_refused_with_a_reason()
    {
        var run = Dsmc.Run("exec", _ptx, "--arg", "tensormap(buf:i32[16,16]:zeros,box=8x16,swizzle=32)", "--arg", "tensormap(@0,box=8x16)", "--arg", "buf:i32[2]:zeros");
        Assert.Equal(ExitCode.Trouble, run.ExitCode);
        Assert.Contains("the swizzle takes 32", run.Error);
    }

    private static IEnumerable<int> Integers(byte[] bytes) => Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToInt32(bytes, 4 * i));
}
