using System.Collections.Immutable;

namespace ModelDsl.Simulation.Costs;

/// <summary>Kinds of work that reach different shares of what the hardware can do at best.</summary>
public enum WorkClass
{
    /// <summary>A product of FP8 operands, forward or input gradient.</summary>
    Fp8Gemm,

    /// <summary>The same over the experts of a rank.</summary>
    Fp8GroupedGemm,

    /// <summary>The gradient of FP8 weights, added up in FP32.</summary>
    Fp8WeightGradient,

    /// <summary>A product of BF16 or wider operands.</summary>
    WideGemm,

    AttentionForward,

    /// <summary>Five products for the two of the forward.</summary>
    AttentionBackward,

    /// <summary>Quantising, and turning tiles for the weight gradients.</summary>
    Cast,

    /// <summary>Rows of tokens to rows of experts, and back with their sum.</summary>
    Permute,

    Norm,
    Swiglu,
    Rope,

    /// <summary>Everything else that reads and writes: sums, gates, the loss, the optimizer.</summary>
    Stream,

    /// <summary>Tokens to their experts over the network adapters, with nothing else running.</summary>
    Dispatch,

    /// <summary>The same while other multiprocessors compute.</summary>
    DispatchBesideCompute,

    /// <summary>Results back to their tokens.</summary>
    Combine,

    CombineBesideCompute,

    /// <summary>Either, within a node; rows gathered and sums scattered among tensor-parallel ranks.</summary>
    NodeExchange,

    /// <summary>Counts that go ahead of the tokens, and waiting for those of all others: seconds for every exchange.</summary>
    ExchangeNotice,

    /// <summary>Activations and their gradients from stage to stage.</summary>
    PointToPoint,

    /// <summary>Gradients and weights among data-parallel ranks.</summary>
    Collective,
}

/// <summary>What one kernel must do at least.</summary>
/// <param name="Flops">Multiplications and additions.</param>
/// <param name="Bytes">Read and written, each tensor once, weights apart; of an exchange among tensor-parallel ranks those that are sent.</param>
/// <param name="WeightBytes">Weights and their gradients; those of experts are divided among the expert ranks.</param>
/// <param name="N">Columns of a product's result; 0 for other work.</param>
/// <param name="K">Length of a product's sums; 0 for other work.</param>
/// <param name="Routed">Grows with the load of the rank's experts.</param>
public readonly record struct KernelWork(WorkClass Class, double Flops, double Bytes, double WeightBytes = 0, int N = 0, int K = 0, bool Routed = false);

/// <summary>One half of a layer, forward and both halves of backward.</summary>
public sealed record HalfWork(
    ImmutableArray<KernelWork> Forward, ImmutableArray<KernelWork> BackwardInput, ImmutableArray<KernelWork> BackwardWeight)
{
    public static HalfWork None { get; } = new([], [], []);

    public IEnumerable<KernelWork> All => Forward.Concat(BackwardInput).Concat(BackwardWeight);
}
