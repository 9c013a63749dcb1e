namespace ModelDsl.Ptx.Tests;

public class TargetTests
{
    [Theory]
    [InlineData("sm_80", Feature.Bf16Mma, true)]
    [InlineData("sm_86", Feature.Fp8Mma, false)]
    [InlineData("sm_89", Feature.Fp8Mma, true)]
    [InlineData("sm_90", Feature.Wgmma, false)]
    [InlineData("sm_90a", Feature.Wgmma, true)]
    [InlineData("sm_100a", Feature.Wgmma, false)]
    [InlineData("sm_100a", Feature.TensorMemory, true)]
    public void A_target_knows_what_it_has(string name, Feature feature, bool has) =>
        Assert.Equal(has, PtxTarget.Find(name)!.Supports(feature));

    [Fact]
    public void An_unknown_target_is_null() => Assert.Null(PtxTarget.Find("sm_91"));

    [Fact]
    public void What_a_target_lacks_is_named()
    {
        var convert = Assert.Throws<PtxException>(() => Emit.Text(k => k.ToE4M3x2(k.F32Param("a"), 0f), PtxTarget.Sm80));
        Assert.Equal("kernel 'k': cvt.rn.satfinite.e4m3x2.f32 needs Fp8Convert, which sm_80 lacks", convert.Message);
        var product = Assert.Throws<PtxException>(() => Emit.Text(
            k => k.Mma(MmaShape.E4M3, [0f, 0f, 0f, 0f], [0u, 0u, 0u, 0u], [0u, 0u]), PtxTarget.Sm86));
        Assert.Equal("kernel 'k': mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 needs Fp8Mma, which sm_86 lacks", product.Message);
    }

    [Fact]
    public void The_header_states_version_and_suffix()
    {
        Assert.StartsWith(".version 8.4\n.target sm_90a\n.address_size 64\n", Emit.Text(k => k.Return(), PtxTarget.Sm90a));
        Assert.StartsWith(".version 8.6\n.target sm_100a\n", Emit.Text(k => k.Return(), PtxTarget.Sm100a));
    }

    [Fact]
    public void A_module_takes_kernels_of_its_own_target_once()
    {
        var kernel = PtxKernel.Write(PtxTarget.Sm80, "a", k => k.Return());
        Assert.Throws<PtxException>(() => new PtxModule(PtxTarget.Sm89).Add(kernel));
        Assert.Throws<PtxException>(() => new PtxModule(PtxTarget.Sm80).Add(kernel).Add(kernel));
    }
}
