using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Importing;

public class ConfigImporterTests
{
    private static readonly string Micro = File.ReadAllText(Repository.PathTo("tests", "goldens", "micro", "checkpoint", "config.json"));

    private static readonly string MicroFp8 = File.ReadAllText(Repository.PathTo("tests", "goldens", "micro", "fp8", "checkpoint",
        "config.json"));

    [Fact]
    public Task Text() => Verifier.Verify(Import(MicroFp8).Text!, "dsm");

    [Fact]
    public void MicroBindsToWhatItsConfigurationSays()
    {
        var yarn = new YarnSpec(40, 32, 32, 1, 1, 1, Origin.None);
        var moe = new MoeSpec(8, 1, 2, 64, new GateSpec(ScoreFunction.Sigmoid, 2.5, true, Origin.None),
            new GroupSpec(2, 4, GroupScore.TopTwoSum, Origin.None), new BalanceSpec(0.001, null, Origin.None), Origin.None);
        FeedForwardSpec[] layers = [new DenseSpec(192, Origin.None), moe, moe];
        Assert.Equal(
            new ModelSpec("Micro", 256, 128, 1e-6, 0.02,
                new MlaSpec(2, 64, 64, 32, 16, 32, new RopeSpec(10000, yarn, Origin.None), Origin.None),
                layers.Select(l => new LayerSpec(l, Origin.None)).ToEquatable(), 1, 1280, Origin.None),
            Model(Micro));
    }

    [Theory]
    [InlineData("\"type\": \"yarn\"", "\"rope_type\": \"yarn\"")]
    [InlineData("\"rope_scaling\": {", "\"rope_parameters\": { \"rope_theta\": 10000,")]
    [InlineData("\"scoring_func\": \"sigmoid\",", "")]
    [InlineData("\"topk_method\": \"noaux_tc\",", "")]
    [InlineData("\"num_key_value_heads\": 2,", "")]
    [InlineData("\"first_k_dense_replace\": 1,", "\"mlp_layer_types\": [\"dense\", \"sparse\", \"sparse\"],")]
    public void OtherSpellingsOfTheSame(string written, string instead) =>
        Assert.Equal(Model(Micro), Model(Change(Micro, written, instead)));

    [Fact]
    public void NewRopeParametersCarryTheBase() =>
        Assert.Equal(50000,
            Model(Change(Micro, "\"rope_scaling\": {", "\"rope_parameters\": { \"rope_theta\": 50000,")).Attention.Rope.Theta);

    [Fact]
    public void NoQueryCompression() => Assert.Null(Model(Change(Micro, "\"q_lora_rank\": 64", "\"q_lora_rank\": null")).Attention.QRank);

    [Fact]
    public void NoYarn()
    {
        var rope = Model(Change(Micro, "\"type\": \"yarn\"", "\"type\": \"default\"")).Attention.Rope;
        Assert.Null(rope.Yarn);
    }

    [Fact]
    public void AbsentScalesAreOff()
    {
        var yarn = Model(Change(Change(Micro, "\"mscale_all_dim\": 1.0,", ""), "\"mscale\": 1.0,", "")).Attention.Rope.Yarn!;
        Assert.Equal((0, 0), (yarn.Mscale, yarn.MscaleAllDim));
    }

    [Fact]
    public void LayersBeyondMeasureAreRefusedNotCutOff()
    {
        var result = ConfigImporter.Import(SourceText.From("config.json", Change(Micro, "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 1000000000")), "M");
        Assert.Null(result.Text);
        Assert.Equal("'num_hidden_layers' must be at most 65536", Assert.Single(result.Diagnostics).Message);
    }

    [Fact]
    public void OneGroupIsNoGroup() =>
        Assert.Null(Moe(Model(Change(Change(Micro, "\"n_group\": 4", "\"n_group\": 1"), "\"topk_group\": 2", "\"topk_group\": 1"))).Groups);

    [Fact]
    public void AllDense() => Assert.All(
        Model(Change(Micro, "\"n_routed_experts\": 8", "\"n_routed_experts\": null")).Layers, l =>
            Assert.Equal(new DenseSpec(192, Origin.None), l.FeedForward));

    [Fact]
    public void EveryOtherLayerHasExperts() => Assert.Equal(
        [false, false, true], Model(Change(Micro, "\"moe_layer_freq\": 1", "\"moe_layer_freq\": 2")).Layers
            .Select(l => l.FeedForward is MoeSpec));

    [Fact]
    public void V2IsSoftmaxWithoutBias()
    {
        var text = Change(Change(Change(Micro, "deepseek_v3", "deepseek_v2"), "\"sigmoid\"", "\"softmax\""), "\"noaux_tc\"",
            "\"group_limited_greedy\"");
        var moe = Moe(Model(Change(text, "\"norm_topk_prob\": true", "\"norm_topk_prob\": false")));
        Assert.Equal(new GateSpec(ScoreFunction.Softmax, 2.5, false, Origin.None), moe.Gate);
        Assert.Equal(new GroupSpec(2, 4, GroupScore.Max, Origin.None), moe.Groups);
        Assert.False(moe.HasSelectionBias);
    }

    [Fact]
    public void Quantisation()
    {
        var result = Import(MicroFp8);
        Assert.Equal(BuiltInPrecision.Fp8.Gemm, Binding.Program.Good(result.Text!).Precision(result.PrecisionName!)!.Gemm);
        Assert.Null(Import(Micro).PrecisionName);
    }

    [Fact]
    public void PowersOfTwoAsScales()
    {
        var result = Import(Change(MicroFp8, "\"fmt\": \"e4m3\",", "\"fmt\": \"e4m3\", \"scale_fmt\": \"ue8m0\","));
        Assert.Equal(ScaleRounding.PowerOfTwo, Binding.Program.Good(result.Text!).Precision(result.PrecisionName!)!.Gemm.Scale);
    }

    [Theory]
    [InlineData("\"lm_head\", \"model.layers.1.mlp.gate\"", 0)]
    [InlineData("\"lm_head\", \"model.layers.1.self_attn.o_proj\"", 1)]
    public void LayersThatStayUnquantisedAreMentioned(string modules, int warnings)
    {
        var result = Import(Change(MicroFp8, "\"fmt\": \"e4m3\",", $"\"fmt\": \"e4m3\", \"modules_to_not_convert\": [{modules}],"));
        Assert.Equal(
            Enumerable.Repeat((DiagnosticCode.ConfigIgnored, Severity.Warning), warnings), result.Diagnostics.Select(d => (d.Code, d.Severity)));
    }

    [Theory]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "hidden_act")]
    [InlineData("\"attention_bias\": false", "\"attention_bias\": true", "attention_bias")]
    [InlineData("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true", "tie_word_embeddings")]
    [InlineData("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 1", "num_key_value_heads")]
    [InlineData("\"type\": \"yarn\"", "\"type\": \"linear\"", "type")]
    [InlineData("\"topk_method\": \"noaux_tc\"", "\"topk_method\": \"other\"", "topk_method")]
    [InlineData("\"model_type\": \"deepseek_v3\"", "\"model_type\": \"llama\"", "model_type")]
    public void Unsupported(string written, string instead, string key)
    {
        var text = Change(Micro, written, instead);
        var result = ConfigImporter.Import(SourceText.From("config.json", text), "M");
        var diagnostic = Assert.Single(result.Diagnostics);
        Assert.Equal(DiagnosticCode.ConfigUnsupported, diagnostic.Code);
        Assert.StartsWith($"'{key}' is ", diagnostic.Message);
        Assert.Contains(result.Source.Slice(diagnostic.Span), instead);
        Assert.Null(result.Text);
    }

    [Fact]
    public void MissingAndMistypedKeysTogether()
    {
        var result = ConfigImporter.Import(SourceText.From("config.json", Change(Change(Micro, "\"hidden_size\": 128,", ""),
            "\"vocab_size\": 256", "\"vocab_size\": \"256\"")), "M");
        Assert.Equal([DiagnosticCode.ConfigMissingKey, DiagnosticCode.ConfigWrongType], result.Diagnostics.Select(d => d.Code));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"a\": }")]
    [InlineData("{\"a\": 1} x")]
    [InlineData("{\"a\": \"\\q\"}")]
    [InlineData("{\"a\": 1e999}")]
    [InlineData("{\"a\": tru}")]
    public void NotJson(string text) =>
        Assert.Equal([DiagnosticCode.NotJson], ConfigImporter.Import(SourceText.From("config.json", text), "M").Diagnostics
            .Select(d => d.Code));

    [Fact]
    public void DeepJson() => Assert.Equal(
        [DiagnosticCode.NotJson], ConfigImporter.Import(SourceText.From("config.json", new string('[', 100_000)), "M").Diagnostics
            .Select(d => d.Code));

    [Theory]
    [InlineData("tiny-v3.2", "tinyv32")]
    [InlineData("7b", "M7b")]
    [InlineData("模型", "Imported")]
    public void NamesAreMadeFit(string name, string fit) =>
        Assert.StartsWith($"model {fit} {{", ConfigImporter.Import(SourceText.From("config.json", Micro), name).Text);

    public static TheoryData<string> Configurations { get; } =
        new(Directory.GetFiles(Repository.PathTo("tests", "goldens"), "config.json", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Repository.Root, f)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Configurations))]
    public void EveryGoldenImports(string path) => Model(File.ReadAllText(Repository.PathTo(path)));

    private static MoeSpec Moe(ModelSpec model) => (MoeSpec)model.Layers[model.Layers.Count - 1].FeedForward;

    private static ModelSpec Model(string config) => Binding.Program.Good(Import(config).Text!).Models.Single();

    private static ImportResult Import(string config)
    {
        var result = ConfigImporter.Import(SourceText.From("config.json", config), "Micro");
        Assert.True(result.Text is not null, DiagnosticText.Render(result.Diagnostics, _ => result.Source));
        return result;
    }

    private static string Change(string text, string written, string instead)
    {
        Assert.Contains(written, text);
        return text.Replace(written, instead);
    }
}
