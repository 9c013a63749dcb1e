using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Simulation.Time;

/// <summary>What a rank does in a step, seconds.</summary>
/// <param name="Forward">Forwards with nothing beside them.</param>
/// <param name="Backward">Backwards with nothing beside them, full ones and those of inputs alone.</param>
/// <param name="Weight">Gradients of weights that were put off.</param>
/// <param name="Pairs">A forward and a backward side by side.</param>
/// <param name="Bubble">Nothing.</param>
/// <param name="Optimizer">After the pipeline.</param>
public sealed record StepParts(double Forward, double Backward, double Weight, double Pairs, double Bubble, double Optimizer)
{
    public double Seconds => Forward + Backward + Weight + Pairs + Bubble + Optimizer;

    public static StepParts Of(Timeline timeline, int rank, double optimizer)
    {
        double forward = 0, backward = 0, weight = 0, pairs = 0;
        foreach (var op in timeline.Ranks[rank])
            switch (op.Op.Kind)
            {
                case OpKind.Forward: forward += op.End - op.Start; break;
                case OpKind.BackwardWeight: weight += op.End - op.Start; break;
                case OpKind.Overlapped: pairs += op.End - op.Start; break;
                default: backward += op.End - op.Start; break;
            }
        return new StepParts(forward, backward, weight, pairs, timeline.Makespan - forward - backward - weight - pairs, optimizer);
    }
}
