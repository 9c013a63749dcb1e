namespace ModelDsl.Simulation.Schedules;

/// <summary>What a rank does with a micro-batch.</summary>
public enum OpKind
{
    Forward,

    /// <summary>Gradients of inputs and weights in one go.</summary>
    Backward,

    /// <summary>Gradients of inputs alone; those of the weights are put into the rank's queue.</summary>
    BackwardInput,

    /// <summary>The oldest gradients of weights in the rank's queue.</summary>
    BackwardWeight,

    /// <summary>A forward and a full backward of two micro-batches, side by side (V3 report, section 3.2.1).</summary>
    Overlapped,
}

/// <summary>One entry of a rank's program.</summary>
/// <param name="Part">Which of the stages that the rank holds; of an overlapped pair, the forward's.</param>
/// <param name="BackwardPart">Of an overlapped pair, the backward's.</param>
public readonly record struct ScheduleOp(OpKind Kind, int Part, int BackwardPart = 0)
{
    public static ScheduleOp F(int part) => new(OpKind.Forward, part);

    public static ScheduleOp B(int part, bool inputOnly = false) => new(inputOnly ? OpKind.BackwardInput : OpKind.Backward, part);

    public static ScheduleOp FB(int forward, int backward) => new(OpKind.Overlapped, forward, backward);

    public static ScheduleOp W => new(OpKind.BackwardWeight, 0);

    public bool IsForward => Kind is OpKind.Forward or OpKind.Overlapped;

    public bool IsBackward => Kind is OpKind.Backward or OpKind.BackwardInput or OpKind.Overlapped;

    /// <summary>The part whose backward it does.</summary>
    public int PartOfBackward => Kind == OpKind.Overlapped ? BackwardPart : Part;

    /// <summary><c>F0 B1 Bi0 W FB01</c>.</summary>
    public override string ToString() => Kind switch
    {
        OpKind.Forward => $"F{Part}",
        OpKind.Backward => $"B{Part}",
        OpKind.BackwardInput => $"Bi{Part}",
        OpKind.BackwardWeight => "W",
        _ => $"FB{Part}{BackwardPart}",
    };
}
