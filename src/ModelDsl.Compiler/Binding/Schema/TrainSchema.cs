using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using static ModelDsl.Compiler.Binding.Schema.Rows;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What <c>train</c> and <c>extend</c> hold.</summary>
internal static class TrainSchema
{
    private static readonly SchemaType LearningRate = new NumberType(0, 1);
    private static readonly SchemaType Sequences = new IntegerType(1, 1 << 24);
    private static readonly TokensOrStepsType Stretch = new();

    private static readonly BlockSchema Parallel = Block("parallel",
        "How the run is spread over GPUs; data parallelism takes what the rest leaves.",
    [
        Attribute("pipeline", Counted, "1", "pipeline stages"),
        Attribute("expert", Counted, "1", "ranks among which routed experts are divided"),
        Attribute("tensor", Counted, "1", "ranks among which a matrix is divided"),
        Attribute("data", Words("replicated", "zero1", "zero2", "zero3"), "zero1",
            "what data-parallel ranks share: zero1 optimizer state, zero2 gradients, zero3 weights"),
    ]);

    private static readonly BlockSchema Schedule = Block("schedule", "In which order a pipeline works off its micro-batches.",
    [
        Attribute("comm_sms", new IntegerType(0, 1024), "0", "multiprocessors given to communication"),
        Attribute("micro_batch_size", new IntegerType(1, 1 << 16), "1", "sequences per micro-batch"),
        Optional("micro_batches", new IntegerType(1, 1 << 24), "micro-batches per step and data-parallel rank; absent: as many as the batch gives"),
    ], label: new LabelRule.Kind([.. ScheduleRules.Names]));

    private static readonly BlockSchema Data = Block("data", "What the run reads.",
    [
        Attribute("tokens", new NumberType(0, 1e18, Dimension.Token, AboveMinimum: true), "tokens in all"),
        Attribute("sequence", Tokens, "tokens per sequence"),
        Attribute("packing", Words("documents", "none"), "documents", "documents: several in a sequence, without a mask between them"),
        Optional("fim", Choice(Call("psm", "prefix, suffix, middle", Named("rate", Share, "share of documents"))), "fill-in-the-middle"),
    ]);

    private static readonly BlockSchema Rates = Steps("rate", "Learning rate over the run, stretch by stretch.",
        Call("warmup", "from 0 in a straight line", Named("to", LearningRate, "rate at the end"), Named("over", Stretch, "how long")),
        Call("hold", "stays", Named("at", LearningRate, "none", "rate; absent: as before"), Named("over", Stretch, "none", "how long"),
            Named("until", ManyTokens, "none", "up to this many tokens of the run")),
        Call("cosine", "down along a cosine", Named("to", LearningRate, "rate at the end"), Named("over", Stretch, "how long")));

    private static readonly BlockSchema MtpWeight = Values("mtp_weight", "Weight of the MTP loss over the run.");

    private static readonly BlockSchema BalanceRate = Values("balance_rate", "Step of the balance bias over the run.");

    private static readonly BlockSchema Stage = Block("stage", "A stage with its own sequence length.",
    [
        Attribute("sequence", Tokens, "tokens per sequence"),
        Attribute("batch", Sequences, "sequences per step"),
        Attribute("steps", new IntegerType(1, int.MaxValue, Dimension.Step), "steps"),
        Attribute("rate", LearningRate, "learning rate"),
    ]);

    public static readonly BlockSchema Train = Block("train", "A training run.",
    [
        Attribute("model", new ReferenceType("model"), "what is trained"),
        Attribute("precision", new ReferenceType("precision"), "in which formats"),
        Attribute("cluster", new ReferenceType("cluster"), "on which machines"),
        Attribute("batch", new ChoiceType([Call("ramp", "grows", Value("from", Sequences, "at first"), Named("to", Sequences, "in the end"),
            Named("over", ManyTokens, "while this many tokens are read"))], new IntegerType(1, 1 << 24)), "sequences per step"),
        Attribute("optimizer", Choice(Call("adamw", "Adam with decoupled weight decay",
            Named("beta1", Share, "0.9", "decay of the first moment"), Named("beta2", Share, "0.95", "decay of the second moment"),
            Named("epsilon", Positive, "1e-8", "added to the root of the second moment"),
            Named("weight_decay", Factor, "0.1", "decay of matrices"),
            Named("clip", Positive, "none", "largest norm of the gradient"))), "adamw", "how weights move"),
        Optional("ema", Choice(Call("cpu", "kept in host memory", Named("decay", Share, "decay per step"))),
            "moving average of the weights"),
    ],
    [
        new ChildSchema(Parallel), new ChildSchema(Schedule), new ChildSchema(Data, Required: true), new ChildSchema(Rates, Required: true),
        new ChildSchema(MtpWeight), new ChildSchema(BalanceRate),
    ]);

    public static readonly BlockSchema Extend = Block("extend", "Context extension: stages that continue a training run.", [],
        [new ChildSchema(Stage, Required: true, Repeats: true)]);

    private static BlockSchema Values(string name, string doc) => Steps(name, doc,
        Call("at", "holds from a point on", Value("value", new NumberType(0, 1e6), "the value"),
            Named("from", ManyTokens, "0", "tokens read by then")));
}
