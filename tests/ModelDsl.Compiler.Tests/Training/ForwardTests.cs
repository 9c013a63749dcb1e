using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>The forward pass of training computes what inference computes, for models of every shape.</summary>
public class ForwardTests
{
    public static TheoryData<string> Models => new(["micro", .. GoldenModel.Variants.Where(name => name != "fp8-ragged")]);

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_are_PyTorchs(string name)
    {
        var golden = name == "micro" ? GoldenModel.Micro : GoldenModel.Variant(name);
        var text = ConfigImporter.Import(SourceText.From(golden.Config, File.ReadAllText(golden.Config)), "Golden").Text!;
        var model = FrontEnd.Bind(SourceText.From("golden.dsm", text)).Models.Single() with { MtpDepth = 0 };
        var graph = TrainingLowering.Lower(model, 64).Verified("lower");
        var weights = GoldenWeights.Load(graph, golden);
        var ids = golden.Tensors["input_ids"];
        var tokens = ids.Shape[1];
        var logits = new List<double>();
        foreach (var row in ids.Ints().Select(id => (double)id).Chunk(tokens))
        {
            var evaluator = new Example(model, graph, weights, Example.Step(row, [.. row[1..], -1], tokens - 1, mtp: 0, sequences: 1)).Evaluator();
            evaluator.Run(graph.Ops);
            logits.AddRange(evaluator[graph.Ops.OfType<CrossEntropyOp>().Single().Logits].Data);
        }

        var known = golden.Tensors["logits"].Floats();
        Assert.Equal(known.Length, logits.Count);
        var distance = logits.Zip(known, (a, b) => (a - b) * (a - b)).Sum() / known.Sum(value => (double)value * value);
        Assert.InRange(Math.Sqrt(distance), 0, 5e-6);
    }
}
