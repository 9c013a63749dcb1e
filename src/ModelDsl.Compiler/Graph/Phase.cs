namespace ModelDsl.Compiler.Graph;

/// <summary>The graphs that inference and training need of a model.</summary>
public enum Phase
{
    /// <summary>T new tokens of one sequence whose context is S tokens long, theirs included; logits of the last L.</summary>
    Prefill,

    /// <summary>T rows, one new token each, of as many sequences or of fewer that have several; logits of all.</summary>
    Decode,

    /// <summary>The best token of each row of logits.</summary>
    Greedy,

    /// <summary>A token of each row of logits, drawn from the nucleus.</summary>
    Nucleus,

    /// <summary>The multi-token-prediction module behind <see cref="Prefill"/>: each row's hidden state and the token after it.</summary>
    MtpPrefill,

    /// <summary>The same behind <see cref="Decode"/>.</summary>
    MtpDecode,

    /// <summary>A training step on one sequence of T tokens: losses, and gradients added to those of the sequences before.</summary>
    Train,

    /// <summary>What follows the last sequence of a training step: gradients become new weights.</summary>
    Optimizer,
}

public static class Phases
{
    /// <summary>New tokens of one sequence behind its cache, with attention in its plain form.</summary>
    public static bool IsPrefill(this Phase phase) => phase is Phase.Prefill or Phase.MtpPrefill;

    /// <summary>One new token per row, with attention in its absorbed form.</summary>
    public static bool IsDecode(this Phase phase) => phase is Phase.Decode or Phase.MtpDecode;

    /// <summary>As plans and IR text say it: <c>mtp_decode</c>.</summary>
    public static string Text(this Phase phase) => phase switch
    {
        Phase.MtpPrefill => "mtp_prefill",
        Phase.MtpDecode => "mtp_decode",
        _ => phase.ToString().ToLowerInvariant(),
    };
}
