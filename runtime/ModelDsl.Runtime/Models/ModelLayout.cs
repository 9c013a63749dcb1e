using ModelDsl.Runtime.Checkpoints;

namespace ModelDsl.Runtime.Models;

/// <summary>What the compiler decided about a model and the runtime must know: sizes, limits, where weights lie.</summary>
public sealed record ModelLayout
{
    public required string Name { get; init; }

    /// <summary>PTX target of the kernels, <c>sm_90a</c>.</summary>
    public required string Target { get; init; }

    /// <summary>Names of the kernels, each the name of an <c>.entry</c> and of the text that holds it.</summary>
    public required IReadOnlyList<string> Kernels { get; init; }

    /// <summary>Rows of the embedding; token ids are below it.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Most new tokens of one prefill step.</summary>
    public required int PrefillTokens { get; init; }

    /// <summary>Most rows of one decode step: sequences, or tokens of one.</summary>
    public required int DecodeSequences { get; init; }

    /// <summary>Most tokens of one sequence.</summary>
    public required int Context { get; init; }

    /// <summary>Most rows of logits that a prefill step gives.</summary>
    public required int LogitRows { get; init; }

    /// <summary>Tokens of one part of the cache that decode attention works through on its own.</summary>
    public required int SplitTokens { get; init; }

    public required long WorkspaceBytes { get; init; }

    public required CacheLayout Cache { get; init; }

    /// <summary>How the model drafts; null: it does not.</summary>
    public MtpLayout? Mtp { get; init; }

    public required RopeLayout Rope { get; init; }

    public required long WeightBytes { get; init; }

    /// <summary>In loading order.</summary>
    public required IReadOnlyList<WeightBinding> Weights { get; init; }

    /// <summary>Tensors of a checkpoint that may be there without being used start so.</summary>
    public required IReadOnlyList<string> IgnoredPrefixes { get; init; }
}

/// <summary>Drafting with the multi-token-prediction module; its block has the last layer of the cache.</summary>
/// <param name="DraftTokens">Most tokens drafted per step.</param>
/// <param name="HiddenRowBytes">Bytes of one token's hidden state.</param>
public sealed record MtpLayout(int DraftTokens, int HiddenRowBytes);

/// <summary>The paged latent cache: in every layer one row per token.</summary>
/// <param name="RowBytes">Bytes of one token in one layer.</param>
/// <param name="Page">Tokens per page.</param>
public sealed record CacheLayout(int Layers, int RowBytes, int Page);

/// <summary>Rotary tables: <c>cos(position * frequency) * Factor</c> in float32.</summary>
/// <param name="Positions">Rows of the tables.</param>
public sealed record RopeLayout(float[] InverseFrequencies, float Factor, int Positions);

/// <summary>What whoever loads a model may choose.</summary>
/// <param name="CacheTokens">Tokens that the cache has room for, all sessions together; null: one session of the longest context.</param>
/// <param name="ValidIds">Only ids below this are sampled; null: all. The vocabulary of a model is often padded beyond its
/// tokenizer's.</param>
public sealed record ModelOptions(int? CacheTokens = null, int? ValidIds = null);
