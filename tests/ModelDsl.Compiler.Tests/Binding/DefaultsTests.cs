using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Binding;

public class DefaultsTests
{
    [Fact]
    public void OfAModel()
    {
        var micro = Program.Good(Program.Micro).Models.Single();
        Assert.Equal((1e-6, 0.006, 0, 1280), (micro.NormEpsilon, micro.InitStd, micro.MtpDepth, micro.Context));
        Assert.Equal(new YarnSpec(40, 32, 32, 1, 1, 1, Origin.None), micro.Attention.Rope.Yarn);
        var moe = (MoeSpec)micro.Layers[1].FeedForward;
        Assert.Equal(new GateSpec(ScoreFunction.Sigmoid, 2.5, true, Origin.None), moe.Gate);
        Assert.False(moe.HasSelectionBias);
    }

    [Fact]
    public void WithoutYarnTheContextIsTheUsual()
    {
        var micro = Program.Good(Program.Micro
            .Replace("rope { yarn = scale(40, original: 32 tokens, mscale_all_dim: 1) }", "")).Models.Single();
        Assert.Equal(4096, micro.Context);
        Assert.Equal(new RopeSpec(10000, null, Origin.None), micro.Attention.Rope);
    }

    [Theory]
    [InlineData("sigmoid", "", GroupScore.TopTwoSum)]
    [InlineData("softmax", "", GroupScore.Max)]
    [InlineData("sigmoid", ", by: max", GroupScore.Max)]
    [InlineData("softmax", ", by: top_two", GroupScore.TopTwoSum)]
    public void GroupsAreScoredAsTheGateSuggests(string gate, string by, GroupScore score)
    {
        var micro = Program.Good(Program.Micro.Replace("sigmoid(scale: 2.5)", gate).Replace("of: 4)", $"of: 4{by})")).Models.Single();
        Assert.Equal(score, ((MoeSpec)micro.Layers[1].FeedForward).Groups!.Score);
    }

    [Fact]
    public void NoneIsAWordWhereItIsOne()
    {
        var text = Program.DeepSeekV3.Replace("overlap   = micro_batches(2)", "overlap   = none").Replace("speculate = mtp(draft: 1)", "speculate = none");
        var serve = Program.Good(text).Serves.Single();
        Assert.Equal((1, 1, 0), (serve.Prefill!.OverlapMicroBatches, serve.Decode!.OverlapMicroBatches, serve.Decode.Draft));
    }

    [Theory]
    [InlineData("fp32", NumberFormat.Fp32)]
    [InlineData("bf16", NumberFormat.Bf16)]
    [InlineData("fp8", NumberFormat.E4M3)]
    public void PoliciesExistByName(string name, NumberFormat format) =>
        Assert.Equal(format, Program.Good(Program.Micro).Precision(name)!.Gemm.Format);

    [Fact]
    public void OfAPolicy()
    {
        var policy = Program.Good(
            "precision P { gemm { format = e4m3, scale = pow2 }, keep { fp32 = [router, norm] } }").Precisions.Single();
        Assert.Equal(BuiltInPrecision.Fp8.Gemm with { Scale = ScaleRounding.PowerOfTwo }, policy.Gemm);
        Assert.Equal([new KeepSpec(ModelPart.Router, NumberFormat.Fp32), new KeepSpec(ModelPart.Norm, NumberFormat.Fp32)], policy.Keep);
        Assert.Equal((StateSpec.Default, null, null), (policy.State, policy.Cache, policy.Wire));
    }

    [Fact]
    public void LogarithmicFormatsOnTheWire()
    {
        var policy = Program.Good(
            "precision P { gemm { format = bf16 }, wire { dispatch = logfmt(8), combine = logfmt(10) } }").Precisions.Single();
        Assert.Equal((NumberFormat.LogFmt8, NumberFormat.LogFmt10), (policy.Wire!.Dispatch.Format, policy.Wire.Combine.Format));
    }
}
