using ModelDsl.Compiler.Syntax;
using static ModelDsl.Compiler.Binding.Schema.Rows;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What <c>serve</c> holds.</summary>
internal static class ServeSchema
{
    private static readonly AttributeSchema[] Phase =
    [
        Attribute("unit", new IntegerType(1, LargestCount, Dimension.Node), "nodes of one unit"),
        Attribute("attention",
            Choice(Call("parallel", "how attention is spread",
                Named("tensor", Counted, "1", "ranks among which heads are divided"),
                Named("sequence", Flag, "false", "norms are divided along the sequence"),
                Named("data", Counted, "1", "ranks with requests of their own"))),
            "parallel", "how attention is spread over the unit"),
        Attribute("experts",
            Choice(Call("parallel", "how experts are spread", Named("expert", Counted, "1", "ranks among which experts are divided"),
            Named("redundant", CountedOrNone, "0", "copies of busy experts"))), "parallel", "how experts are spread over the unit"),
        Attribute("overlap",
            Choice(Call("micro_batches", "halves that take turns", Value("count", new IntegerType(1, 64), "how many")), Word("none")),
            "none", "micro-batches whose communication hides behind one another's computation"),
        Attribute("speculate",
            Choice(Call("mtp", "drafts with the MTP module", Named("draft", new IntegerType(1, 16), "1", "tokens drafted per step")),
                Word("none")),
            "none", "speculative decoding"),
    ];

    private static readonly BlockSchema KvCache = Block("kv_cache", "The paged latent cache.",
    [
        Attribute("page", Tokens, "64 tokens", "tokens per page"),
        Attribute("format", Words("fp32", "bf16", "e4m3"), "bf16", "number format"),
    ]);

    public static readonly BlockSchema Serve = Block("serve", "A serving deployment.",
    [
        Attribute("model", new ReferenceType("model"), "what is served"),
        Attribute("precision", new ReferenceType("precision"), "in which formats"),
        Attribute("cluster", new ReferenceType("cluster"), "on which machines"),
        Optional("rebalance",
            Choice(Call("every", "at regular times",
                Value("time", new NumberType(0, 1e9, Dimension.Second, AboveMinimum: true), "time between"))),
            "when redundant experts are chosen anew"),
    ],
    [
        new ChildSchema(Block("prefill", "Units that read prompts.", Phase)),
        new ChildSchema(Block("decode", "Units that write answers.", Phase)),
        new ChildSchema(KvCache),
    ]);
}
