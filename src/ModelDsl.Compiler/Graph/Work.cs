namespace ModelDsl.Compiler.Graph;

/// <summary>
/// What an op of a training step is for. The two halves of the backward pass can run apart: schedules put weight gradients where
/// the pipeline would wait (V3 report, section 3.2.1).
/// </summary>
public enum Work
{
    Forward,

    /// <summary>B: what the layer before waits for. Depends on nothing of <see cref="WeightGradient"/>.</summary>
    InputGradient,

    /// <summary>W: what only the optimizer waits for.</summary>
    WeightGradient,
}

public static class Works
{
    /// <summary>As IR text says it.</summary>
    public static string Text(this Work work) => work switch
    {
        Work.InputGradient => "input gradients",
        Work.WeightGradient => "weight gradients",
        _ => "forward",
    };
}
