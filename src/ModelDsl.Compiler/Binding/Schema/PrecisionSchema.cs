using ModelDsl.Compiler.Specs;
using static ModelDsl.Compiler.Binding.Schema.Rows;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What a <c>precision</c> holds, and the words for formats and parts.</summary>
internal static class PrecisionSchema
{
    public static readonly (string Word, ModelPart Part)[] Parts =
    [
        ("embedding", ModelPart.Embedding), ("output_head", ModelPart.OutputHead), ("norm", ModelPart.Norm),
        ("attention", ModelPart.Attention),
        ("router", ModelPart.Router), ("mlp", ModelPart.Mlp), ("experts", ModelPart.Experts),
    ];

    private static readonly ChoiceType ScaleWord = Words("exact", "pow2");

    private static readonly SchemaType WideFormat = Words("fp32", "bf16", "fp16");

    private static readonly ChoiceType StoredFormat = Choice(
        Word("fp32"), Word("bf16"), Word("fp16"), Scaled("e4m3"), Scaled("e5m2"), Scaled("e5m6"),
        Call("logfmt", "logarithmic format", Value("bits", new IntegerType(8, 10), "8 or 10 bits")));

    private static readonly SchemaType PartList = new ListType(Words(Parts.Select(p => p.Word).ToArray()));

    private static readonly IntegerType TileSide = new(1, 4096);

    private static readonly BlockSchema Gemm = Block("gemm", "Operands of every linear layer.",
    [
        Attribute("format", Words("fp32", "bf16", "e4m3"), "number format of both operands; e4m3 takes scales as below"),
        Attribute("activations",
            Choice(Call("tile", "one scale per tile", Value("rows", TileSide, "tokens"), Value("columns", TileSide, "channels"))),
            "tile(1, 128)", "values that share a scale, in activations"),
        Attribute("weights",
            Choice(Call("block", "one scale per block", Value("rows", TileSide, "outputs"), Value("columns", TileSide, "inputs"))),
            "block(128, 128)", "values that share a scale, in weights (weight_block_size)"),
        Attribute("promote", new IntegerType(16, 1 << 20), "128",
            "products that the tensor core adds up before they go to an FP32 register"),
        Attribute("scale", ScaleWord, "exact", "scales are amax / 448, or the next power of two at or above (scale_fmt: ue8m0)"),
    ]);

    private static readonly BlockSchema Keep = Block("keep", "Parts that stay in a wider format, whatever gemm says.",
    [
        Optional("fp32", PartList, "parts computed in FP32"),
        Optional("bf16", PartList, "parts computed in BF16"),
        Optional("fp16", PartList, "parts computed in FP16"),
    ]);

    private static readonly BlockSchema State = Block("state", "What the optimizer owns.",
    [
        Attribute("master", WideFormat, "fp32", "master weights"),
        Attribute("gradients", WideFormat, "fp32", "accumulated gradients"),
        Attribute("moments", WideFormat, "fp32", "both Adam moments"),
    ]);

    private static readonly BlockSchema Cache = Block("cache", "What the forward pass leaves for the backward pass.",
    [
        Attribute("activations", StoredFormat, "bf16", "inputs of linear layers"),
        Attribute("attention_output", StoredFormat, "bf16", "input of the projection behind attention"),
        Attribute("swiglu_input", StoredFormat, "bf16", "input of the SwiGLU in experts"),
        Optional("recompute", new ListType(Words("norm", "mla_up", "swiglu")), "computed again in the backward pass instead of kept"),
    ]);

    private static readonly BlockSchema Wire = Block("wire", "What travels in the all-to-all.",
    [
        Attribute("dispatch", StoredFormat, "bf16", "tokens on their way to experts"),
        Attribute("combine", StoredFormat, "bf16", "results on their way back"),
    ]);

    public static readonly BlockSchema Precision = Block("precision", "A numeric policy: which format where.", [],
    [
        new ChildSchema(Gemm, Required: true), new ChildSchema(Keep), new ChildSchema(State), new ChildSchema(Cache), new ChildSchema(Wire),
    ]);

    private static Signature Scaled(string name) =>
        Call(name, "scaled format", Named("scale", ScaleWord, "exact", "how its scales are rounded"));
}
