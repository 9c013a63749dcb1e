using System.Text.Json;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Scheduling;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Lowering;

public class WeightListTests
{
    /// <summary>The published sizes, MTP module apart, reproduced from the shapes of the plan's own weights.</summary>
    [Theory]
    [InlineData("V3", 671_026_419_200)]
    [InlineData("V2", 235_741_434_880)]
    [InlineData("V2Lite", 15_706_484_224)]
    public void Parameters_add_up_to_the_published_size(string name, long expected)
    {
        var model = name switch { "V3" => Models.V3, "V2" => Models.V2, _ => Models.V2Lite };
        foreach (var policy in new[] { BuiltInPrecision.Bf16, BuiltInPrecision.Fp8 })
        {
            var plan = ModelCompilerTests.Compile(model, policy);
            var weights = plan.Weights;

            // Under FP8, kv_b has a second, wide copy for absorption: the same parameters once more.
            var copies = weights.Where(weight => weight.Key.EndsWith(".kv_b.bf16", StringComparison.Ordinal)).ToList();
            Assert.Equal(policy.Gemm.IsFp8 ? model.Layers.Count : 0, copies.Count);
            Assert.Equal(expected, weights.Except(copies).Sum(weight => weight.Parameters));
            Assert.Equal(expected, plan.Parameters);
        }
    }

    [Fact]
    public void Every_tensor_of_the_golden_checkpoint_is_loaded_or_ignored_and_no_other()
    {
        using var index = JsonDocument.Parse(File.ReadAllText(
            Repository.PathTo("tests", "goldens", "micro", "checkpoint", "model.safetensors.index.json")));
        var stored = index.RootElement.GetProperty("weight_map").EnumerateObject().Select(entry => entry.Name).ToList();
        var plan = ModelCompilerTests.Compile(Models.Micro, BuiltInPrecision.Bf16);

        var ignored = stored.Where(name => plan.IgnoredPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToList();
        Assert.NotEmpty(ignored);
        Assert.Equal(
            stored.Except(ignored).Order(StringComparer.Ordinal),
            plan.Weights.SelectMany(weight => weight.Parts).Select(part => part.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>The published 11.5 B of the module, embedding and head apart: 11.61 B by the shapes of its tensors.</summary>
    [Fact]
    public void Drafting_adds_the_published_size_of_the_module()
    {
        var plan = ModelCompilerTests.Compile(Models.V3, BuiltInPrecision.Bf16, draftTokens: 1);
        Assert.Equal(671_026_419_200 + 11_610_068_224, plan.Parameters);
        Assert.Equal(["model.layers.61.embed_tokens.weight", "model.layers.61.shared_head.head.weight"], plan.IgnoredPrefixes);
        Assert.Equal(62, plan.Cache.Layers);
    }

    [Fact]
    public void With_drafts_every_tensor_of_the_golden_checkpoint_is_loaded()
    {
        using var index = JsonDocument.Parse(File.ReadAllText(
            Repository.PathTo("tests", "goldens", "micro", "checkpoint", "model.safetensors.index.json")));
        Assert.Equal(
            index.RootElement.GetProperty("weight_map").EnumerateObject().Select(entry => entry.Name).Order(StringComparer.Ordinal),
            ModelCompilerTests.Compile(Models.Micro, BuiltInPrecision.Fp8, draftTokens: 2).Weights
                .Where(weight => !weight.Key.EndsWith(".kv_b.bf16", StringComparison.Ordinal))
                .SelectMany(weight => weight.Parts).Select(part => part.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Shapes_are_those_of_the_golden_checkpoint()
    {
        var folder = Repository.PathTo("tests", "goldens", "micro", "checkpoint");
        var stored = Directory.GetFiles(folder, "*.safetensors").SelectMany(Safetensors.Load)
            .ToDictionary(entry => entry.Key, entry => entry.Value.Shape);
        foreach (var part in ModelCompilerTests.Compile(Models.Micro, BuiltInPrecision.Fp8).Weights.SelectMany(weight => weight.Parts))
            Assert.Equal(stored[part.Name], part.Shape);
    }

    [Fact]
    public void Parts_fill_their_tensor_without_overlap()
    {
        foreach (var model in new[] { Models.Micro, Models.Odd, Models.V2Lite })
            foreach (var policy in new[] { BuiltInPrecision.Fp32, BuiltInPrecision.Fp8 })
                foreach (var weight in ModelCompilerTests.Compile(model, policy).Weights)
                {
                    var (end, scaleEnd) = (0, 0);
                    foreach (var part in weight.Parts)
                    {
                        var rows = part.Shape.Count == 1 ? 1 : part.Shape[0];
                        Assert.True(part.Row >= end && part.ScaleRow >= scaleEnd, weight.Key);
                        end = part.Row + rows;
                        if (weight.Type == DType.E4M3) scaleEnd = part.ScaleRow + (rows + 127) / 128;
                        else Assert.Equal(part.Row + rows, end);
                    }

                    Assert.True(end <= weight.Matrices * weight.Rows && scaleEnd <= weight.ScaleRows, weight.Key);
                    if (weight.Type != DType.E4M3) Assert.Equal(weight.Elements, weight.Parameters);
                }
    }

    [Fact]
    public void Loading_goes_layer_by_layer()
    {
        var keys = ModelCompilerTests.Compile(Models.Micro, BuiltInPrecision.Fp8).Weights.Select(weight => weight.Key).ToList();
        Assert.Equal("embed", keys[0]);
        Assert.Equal(["norm", "head"], keys[^2..]);
        var layers = keys.Skip(1).SkipLast(2).Select(key => int.Parse(key.Split('.')[1])).ToList();
        Assert.Equal(layers.Order(), layers);
        Assert.Equal(keys.Count, keys.Distinct().Count());
    }
}
