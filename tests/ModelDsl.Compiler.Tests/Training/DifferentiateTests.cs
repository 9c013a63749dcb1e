using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.Differentiate;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Passes;

namespace ModelDsl.Compiler.Tests.Training;

public class DifferentiateTests
{
    [Theory]
    [InlineData("Tiny", false)]
    [InlineData("Tiny", true)]
    [InlineData("TinyLite", false)]
    [InlineData("TinyPlain", false)]
    public void Gradients_of_a_whole_model_are_the_slopes_of_its_loss(string name, bool balanceOnChosen)
    {
        var model = name switch { "Tiny" => Example.Tiny, "TinyLite" => Example.TinyLite, _ => Example.TinyPlain };
        Example.Random(model, Differentiated(model, balanceOnChosen)).CheckGradients();
    }

    [Fact]
    public void Input_half_alone_then_all_of_the_weight_half_gives_the_same_gradients()
    {
        var example = Example.Random(Example.Tiny, Differentiated(Example.Tiny));
        var apart = example.Gradients(example.Graph.Ops.OrderBy(op => op.Work));
        foreach (var (key, gradient) in example.Gradients()) Assert.Equal(gradient.Data, apart[key].Data);
    }

    [Fact]
    public void Nothing_of_the_input_half_reads_what_the_weight_half_makes()
    {
        foreach (var model in new[] { Models.V3, Models.V2Lite, Example.Tiny })
        {
            var makers = new Dictionary<int, Work>();
            foreach (var op in Differentiated(model).Ops)
            {
                foreach (var operand in op.Operands.OfType<Temporary>()) Assert.True(makers[operand.Id] <= op.Work, GraphPrinter.Print(op));
                foreach (var result in op.Results.Cast<Temporary>()) makers.Add(result.Id, op.Work);
            }
        }
    }

    [Fact]
    public void Every_weight_but_the_bias_gets_one_gradient_per_use()
    {
        var graph = Differentiated(Models.V3);
        var sums = graph.Ops.SelectMany(op => op.Operands).OfType<StateValue>().Where(state => state.State == WeightState.Gradient).ToList();
        Assert.Equal(
            graph.Weights.Select(entry => entry.Weight.Key).Where(key => !key.EndsWith("router_bias", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            sums.Select(state => state.Weight.Key).Order(StringComparer.Ordinal));

        // Embedding and head are also the MTP module's: a second share, added to the first.
        Assert.Equal(sums.Count + 2, graph.Ops.Count(op => op.Mnemonic == "accumulate"));
    }

    [Fact]
    public void Without_a_loss_there_is_nothing_to_derive()
    {
        var refused = Assert.Throws<PassException>(() => DifferentiatePass.Run(Graphs.Lowered(Models.Micro, Phase.Prefill)));
        Assert.Contains("prefill graph has no loss", refused.Message);
    }

    internal static ModelGraph Differentiated(ModelSpec model, bool balanceOnChosen = false) => DifferentiatePass.Run(
        TrainingLowering.Lower(model, 64, balanceOnChosen).Verified("lower")).Verified("differentiate");
}
