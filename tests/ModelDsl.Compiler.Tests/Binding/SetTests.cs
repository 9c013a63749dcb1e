using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Binding;

public class SetTests
{
    [Fact]
    public void Parameter()
    {
        var text = "param wide = 2 * 96\n" + Program.Micro.Replace("width = 192", "width = wide");
        Assert.Equal(192, Dense(Program.Good(text)));
        Assert.Equal(300, Dense(Program.Good(text, "wide=100 * 3")));
    }

    [Theory]
    [InlineData("model.attention.heads=4")]
    [InlineData("Micro.attention.heads = 4")]
    [InlineData("model.attention[mla].heads=2 + 2")]
    public void Attribute(string set) =>
        Assert.Equal(4, Program.Good(Program.Micro.Replace("attention {", "attention mla {"), set).Models.Single().Attention.Heads);

    [Fact]
    public void LayersByWhatTheyHold() =>
        Assert.Equal(1, ((MoeSpec)Program.Good(Program.Micro, "model.layers.moe.active=1").Models.Single().Layers[2].FeedForward).Active);

    [Fact]
    public void LayersByLabel() =>
        Assert.Equal(1,
            ((MoeSpec)Program.Good(Program.Micro, "model.layers[1..2].moe.active=1").Models.Single().Layers[2].FeedForward).Active);

    [Fact]
    public void AttributesAndBlocksThatWereNotThere()
    {
        var train = Program.Good(Program.DeepSeekV3, "Pretrain.schedule.micro_batches=40").Trains.Single(t => t.Name == "Pretrain");
        Assert.Equal(40, train.Schedule.MicroBatches);
        Assert.Equal(1, Program.Good(Program.Micro, "model.mtp.depth=1").Models.Single().MtpDepth);
    }

    [Fact]
    public void VariantsFollowTheirBase()
    {
        var program = Program.Good(Program.Micro + "\nmodel B from Micro { vocabulary = 64 }", "Micro.hidden=96");
        Assert.Equal([96, 96], program.Models.Select(m => m.Hidden));
    }

    [Theory]
    [InlineData("heads", DiagnosticCode.BadSetPath)]
    [InlineData("a..b=1", DiagnosticCode.BadSetPath)]
    [InlineData("wide=1", DiagnosticCode.SetTargetNotFound)]
    [InlineData("model.atention.heads=1", DiagnosticCode.SetTargetNotFound)]
    [InlineData("model.attention.haeds=1", DiagnosticCode.SetTargetNotFound)]
    [InlineData("model.layers[7].dense.width=1", DiagnosticCode.SetTargetNotFound)]
    [InlineData("train.batch=1", DiagnosticCode.SetTargetNotFound)]
    [InlineData("model.attention.heads=", DiagnosticCode.Unexpected)]
    [InlineData("model.attention.heads=2 2", DiagnosticCode.Unexpected)]
    [InlineData("model.attention.heads=2.5", DiagnosticCode.NotWhole)]
    public void Mistakes(string set, DiagnosticCode code) => Assert.Equal([code], Program.Codes(Program.Micro, set));

    [Fact]
    public void MistakesAreShownInTheOverride()
    {
        var program = Program.Bind(Program.Micro, "model.attention.heads=2.5");
        Assert.Equal(
            """
            --set model.attention.heads=2.5:1:23: error DSM0206: 'heads' is 2.5, and must be a whole number
                1 | model.attention.heads=2.5
                  |                       ^^^

            """,
            DiagnosticText.Render(program.Diagnostics, program.Source));
    }

    [Fact]
    public void OfSeveralModelsOneMustBeNamed()
    {
        var text = Program.Micro + "\nmodel B from Micro { vocabulary = 64 }";
        var diagnostic = Program.Bind(text, "model.attention.heads=4").Diagnostics.Single();
        Assert.Equal("nothing to set at 'model.attention.heads': there are 2 of kind model: Micro, B", diagnostic.Message);
        Assert.Equal("begin with a name, as in Micro.attention.heads", diagnostic.Hint);
    }

    private static int Dense(Compiler.Binding.BoundProgram program) => ((DenseSpec)program.Models.Single().Layers[0].FeedForward).Width;
}
