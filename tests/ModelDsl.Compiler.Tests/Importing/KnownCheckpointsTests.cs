using System.Collections.Immutable;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Importing;

/// <summary>Every checkpoint of the repository can be said in the language, and the sample's text says what its checkpoint is.</summary>
public class KnownCheckpointsTests
{
    [Theory]
    [MemberData(nameof(GoldenNames))]
    public void Every_golden_configuration_imports_and_binds(string name)
    {
        var golden = name == "micro" ? GoldenModel.Micro : GoldenModel.Variant(name);

        var model = Imported(golden.Config, name);

        var layers = golden.Tensors.Keys.Count(key => key.StartsWith("attn_out.", StringComparison.Ordinal));
        var routed = golden.Tensors.Keys.Count(key => key.EndsWith(".scores", StringComparison.Ordinal));
        Assert.Equal(layers, model.Layers.Count);
        Assert.Equal(routed, model.Layers.Count(layer => layer.FeedForward is MoeSpec));
        Assert.Equal(golden.Tensors["logits"].Shape[2], model.Vocabulary);
    }

    [Fact]
    public void The_small_sample_says_what_its_checkpoint_is()
    {
        var folder = Repository.PathTo("samples", "tiny-v3");
        var written = Bound(SourceText.FromBytes("tiny-v3.dsm", File.ReadAllBytes(Path.Combine(folder, "tiny-v3.dsm"))));
        var imported = Imported(Path.Combine(folder, "checkpoint", "config.json"), written.Name);

        Assert.Equal(WithoutRates(imported), WithoutRates(written));
    }

    public static TheoryData<string> GoldenNames => [.. GoldenModel.Variants, "micro"];

    // The configuration does not say at which rate the bias was trained; it says that there is one.
    private static ModelSpec WithoutRates(ModelSpec model) => model with
    {
        Layers = model.Layers.Select(layer => layer.FeedForward is MoeSpec { HasSelectionBias: true } moe
            ? layer with { FeedForward = moe with { Balance = new BalanceSpec(1, null, moe.Origin) } }
            : layer).ToImmutableArray(),
    };

    private static ModelSpec Imported(string config, string name)
    {
        var import = ConfigImporter.Import(SourceText.FromBytes("config.json", File.ReadAllBytes(config)), name);
        Assert.Empty(import.Diagnostics.Where(diagnostic => diagnostic.IsError));
        return Bound(SourceText.From("imported.dsm", import.Text!));
    }

    private static ModelSpec Bound(SourceText source)
    {
        var program = FrontEnd.Bind(source);
        Assert.Empty(program.Diagnostics.Where(diagnostic => diagnostic.IsError));
        return Assert.Single(program.Models);
    }
}
