using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes.Recompute;

namespace ModelDsl.Compiler.Tests.Training;

public class RecomputeTests
{
    public static TheoryData<bool, bool, bool, bool> Choices => new()
    {
        { true, false, false, false }, { false, true, false, false }, { false, false, true, false }, { true, true, true, false }, { true, true, true, true },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Gradients_stay_the_same_to_the_last_bit(bool norm, bool mlaUp, bool swiglu, bool share)
    {
        foreach (var model in new[] { Example.Tiny, Example.TinyLite })
        {
            var example = Example.Random(model, DifferentiateTests.Differentiated(model));
            var again = RecomputePass.Run(example.Graph, new Recomputation(norm, mlaUp, swiglu), share).Verified("recompute");
            var recomputed = example with { Graph = again };
            var expected = example.Gradients();
            var apart = recomputed.Gradients(again.Ops.OrderBy(op => op.Work));
            foreach (var (key, gradient) in recomputed.Gradients())
            {
                Assert.Equal(expected[key].Data, gradient.Data);
                Assert.Equal(expected[key].Data, apart[key].Data);
            }

        }
    }

    /// <summary>The backward pass reads nothing of the forward pass that it makes again.</summary>
    [Fact]
    public void What_is_made_again_is_not_kept()
    {
        var graph = RecomputePass.Run(DifferentiateTests.Differentiated(Example.Tiny), new Recomputation(true, true, true));
        var forward = graph.Ops.Where(op => op.Work == Work.Forward).ToList();
        var read = graph.Ops.Where(op => op.Work != Work.Forward).SelectMany(op => op.Operands).OfType<Temporary>().Select(value => value.Id).ToHashSet();
        foreach (var op in forward.Where(op => op.Mnemonic is "rms_norm" or "swiglu" or "scale_rows" or "rope_query"))
            Assert.DoesNotContain(((Temporary)op.Results[0]).Id, read);
    }

    [Fact]
    public void Shared_copies_are_fewer()
    {
        var graph = DifferentiateTests.Differentiated(Example.Tiny);
        int Copies(bool share) => RecomputePass.Run(graph, new Recomputation(true, true, true), share).Ops.Count(op => op.IsRecomputed);

        // Per layer the weight half saves two norms of latents, per MoE layer the SwiGLU of its experts, and the last norm once.
        Assert.Equal(Copies(false) - (2 * 5 + 4 + 2), Copies(true));
    }
}
