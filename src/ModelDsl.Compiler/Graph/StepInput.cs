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

    /// <summary>The token after each, i32 <c>[T]</c>; -1: there is none, and nothing to learn (training).</summary>
    Labels,

    /// <summary><see cref="Positions"/> of all ranks that share the sequence, i32 <c>[T * n]</c> (training).</summary>
    GroupPositions,

    /// <summary><see cref="Labels"/> of all ranks that share the sequence, i32 <c>[T * n]</c> (training).</summary>
    GroupLabels,

    /// <summary>Weight of a token's loss, f32: one over the labels of all sequences of the step (training).</summary>
    TokenWeight,

    /// <summary>Weight of a token's loss in the MTP modules, f32: lambda times <see cref="TokenWeight"/> (training).</summary>
    MtpWeight,

    /// <summary>Weight of a sequence's balance loss, f32: one over the sequences of the step (training).</summary>
    SequenceWeight,

    /// <summary>Gradient of the loss, f32: 1, or what the loss is scaled with (training).</summary>
    LossGradient,

    /// <summary>Learning rate of this step, f32 (optimizer).</summary>
    Rate,

    /// <summary>Steps so far, this one included, i32 (optimizer).</summary>
    StepNumber,

    /// <summary>Step of the auxiliary-loss-free bias, f32; 0 keeps it (optimizer).</summary>
    BiasRate,
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

    /// <summary>What is minimised, f32: the sum of those below (training).</summary>
    Loss,

    /// <summary>Cross-entropy of the next token, f32 (training).</summary>
    TokenLoss,

    /// <summary>Cross-entropies of the MTP modules, weighted, f32 (training).</summary>
    MtpLoss,

    /// <summary>Sequence-wise balance losses of all layers, f32 (training).</summary>
    BalanceLoss,

    /// <summary>Norm of all gradients before they are clipped, f32 (optimizer).</summary>
    GradientNorm,
}

public static class StepInputs
{
    /// <summary>The input is a number, not the address of a buffer.</summary>
    public static bool IsScalar(this StepInput input) => input is StepInput.Temperature or StepInput.TopP or StepInput.Valid
        || input is >= StepInput.TokenWeight and <= StepInput.BiasRate;
}

/// <summary>F32 tables of <c>[positions, rope_dim / 2]</c>.</summary>
public enum PlanTable
{
    Cos,
    Sin,
}
