using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Binding;

/// <summary>Models as variants of one another.</summary>
public class VariantTests
{
    /// <summary>V2-Lite out of V3: no query compression, softmax gate, no groups, no bias. 15,706,484,224 weights, as published.</summary>
    [Fact]
    public void V2LiteFromV3()
    {
        var program = Program.Good(Program.DeepSeekV3 + """

            model V2Lite from DeepSeekV3 {
              vocabulary = 102400
              hidden     = 2048
              attention mla {
                heads  = 16
                q_rank = none
                rope { yarn = scale(40, original: 4096 tokens, mscale: 0.707, mscale_all_dim: 0.707) }
              }
              layers 0     { dense { width = 10944 } }
              layers 1..26 {
                moe {
                  routed = 64, shared = 2, active = 6, width = 1408
                  gate   = softmax
                  groups = none
                  balance { bias = none }
                }
              }
              mtp { depth = 0 }
            }
            """);
        var lite = program.Model("V2Lite")!;
        Assert.Equal(15_706_484_224, ParameterCounts.Of(lite).Total);
        Assert.Equal((null, 512, 27), (lite.Attention.QRank, lite.Attention.KvRank, lite.Layers.Count));
        var moe = Assert.IsType<MoeSpec>(lite.Layers[1].FeedForward);
        Assert.Equal(new GateSpec(ScoreFunction.Softmax, 1, false, Origin.None), moe.Gate);
        Assert.Null(moe.Groups);
        // The sequence loss is inherited: a new run of layers starts from the base's run of its kind.
        Assert.Equal(new BalanceSpec(null, 1e-4, Origin.None), moe.Balance);
    }

    [Fact]
    public void SameRangeIsRefined()
    {
        var program = Program.Good(Program.Micro + "\nmodel Small from Micro { layers 1..2 { moe { active = 1 } } }");
        Assert.Equal(Program.Good(Program.Micro).Models[0].Layers[0], program.Model("Small")!.Layers[0]);
        Assert.Equal((1, 8),
            (((MoeSpec)program.Model("Small")!.Layers[2].FeedForward).Active,
            ((MoeSpec)program.Model("Small")!.Layers[2].FeedForward).Routed));
    }

    [Fact]
    public void ExpertsBecomeDense()
    {
        var program = Program.Good(Program.Micro + "\nmodel Plain from Micro { layers 0..2 { dense { width = 64 } } }");
        Assert.All(program.Model("Plain")!.Layers, l => Assert.Equal(new DenseSpec(64, Origin.None), l.FeedForward));
    }

    [Fact]
    public void VariantOfAVariant()
    {
        var program = Program.Good("model C from B { vocabulary = 64 }\nmodel B from Micro { hidden = 64 }\n" + Program.Micro);
        Assert.Equal((64, 64, 2), (program.Model("C")!.Vocabulary, program.Model("C")!.Hidden, program.Model("C")!.Attention.Heads));
    }

    [Fact]
    public void ArithmeticSeesTheVariantsAttributes()
    {
        var program = Program.Good(Program.Micro.Replace("width = 192", "width = ceil(hidden * 8 / 3, 64)")
            + "\nmodel Wide from Micro { hidden = 256 }");
        Assert.Equal([384, 704], program.Models.Select(m => ((DenseSpec)m.Layers[0].FeedForward).Width));
    }

    [Fact]
    public void OtherScheduleReplacesAll()
    {
        var program = Program.Good(Program.DeepSeekV3 + "\ntrain Other from Pretrain { schedule 1f1b { } }");
        Assert.Equal(new ScheduleSpec("1f1b", 0, 1, null, Origin.None), program.Trains.Single(t => t.Name == "Other").Schedule);
    }

    [Fact]
    public void ErrorsOfABaseAreToldOnce()
    {
        var codes = Program.Codes(Program.Micro.Replace("heads    = 2", "heads    = 0") + "\nmodel B from Micro { hidden = 64 }");
        Assert.Equal([DiagnosticCode.OutOfRange], codes);
    }
}
