namespace ModelDsl.Runtime.Profiling;

/// <summary>What a run is doing.</summary>
public enum RunPhase
{
    /// <summary>Everything before the first step: compiling, weights, tables, buffers.</summary>
    Start,

    /// <summary>The prompt goes in.</summary>
    Prefill,

    /// <summary>A new token of each sequence goes in.</summary>
    Decode,

    /// <summary>A token is chosen from logits.</summary>
    Sample,

    /// <summary>The MTP module guesses what comes next.</summary>
    Draft,
}
