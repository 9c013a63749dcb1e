namespace ModelDsl.Compiler.Graph;

/// <summary>What a step is given.</summary>
public enum StepInput
{
    /// <summary>Token ids, i32 <c>[T]</c>.</summary>
    Ids,

    /// <summary>Position of each new token in its sequence, i32 <c>[T]</c>.</summary>
    Positions,

    /// <summary>Cache row of each new token, i32 <c>[T]</c>.</summary>
    Slots,

    /// <summary>Pages of the sequence, i32 <c>[ceil(S / page)]</c> (prefill); of every sequence, i32 <c>[T, M]</c> (decode).</summary>
    Pages,

    /// <summary>Tokens of each sequence, the new one included, i32 <c>[T]</c> (decode).</summary>
    Lengths,

    /// <summary>One number in [0, 1) for each row of logits, f32 <c>[L]</c> (nucleus).</summary>
    Uniform,

    /// <summary>Divides the logits, f32 (nucleus).</summary>
    Temperature,

    /// <summary>Probability mass of the nucleus, f32 (nucleus).</summary>
    TopP,

    /// <summary>Only ids below this may be sampled, i32: the vocabulary's padding is not.</summary>
    Valid,

    /// <summary>What the model, or the module itself one token earlier, left as <see cref="StepOutput.Hidden"/> for the token before
    /// each row's, io <c>[T, hidden]</c> (MTP).</summary>
    PreviousHidden,
}

/// <summary>What a step leaves.</summary>
public enum StepOutput
{
    /// <summary>f32 <c>[L, vocabulary]</c>; read by the sampling phases.</summary>
    Logits,

    /// <summary>i32 <c>[L]</c>.</summary>
    Sampled,

    /// <summary>The stream after the last norm, io <c>[T, hidden]</c>; where the model drafts.</summary>
    Hidden,
}

public static class StepInputs
{
    /// <summary>The input is a number, not the address of a buffer.</summary>
    public static bool IsScalar(this StepInput input) => input is StepInput.Temperature or StepInput.TopP or StepInput.Valid;
}

/// <summary>F32 tables of <c>[positions, rope_dim / 2]</c>.</summary>
public enum PlanTable
{
    Cos,
    Sin,
}
