using System.Collections.Immutable;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Simulation.Memory;

/// <summary>
/// What it is worth, and what it costs, to put off weight gradients so that those of inputs reach the other ranks sooner: operands wait in the
/// meantime.
/// </summary>
/// <param name="Peak">Bytes of the fullest rank, were none put off.</param>
/// <param name="Makespan">Seconds of the pipeline, were none put off.</param>
public sealed record WeightDeferral(double Peak, double Makespan)
{
    /// <returns>Null where the schedule puts none off.</returns>
    public static WeightDeferral? Of(TrainingPlan plan)
    {
        var schedule = plan.Schedule;
        if (!schedule.Programs.Any(program => program.Any(op => op.Kind == OpKind.BackwardInput))) return null;
        var whole = schedule with
        {
            Programs =
            [
                .. schedule.Programs.Select(program => program.Where(op => op.Kind != OpKind.BackwardWeight)
                    .Select(op => op.Kind == OpKind.BackwardInput ? op with { Kind = OpKind.Backward } : op).ToImmutableArray()),
            ],
        };
        var timeline = ScheduleSimulation.Run(whole, plan.Times);
        return new WeightDeferral(
            MemoryPlan.Of(plan.Train, whole, plan.Stages, plan.DataParallel, plan.Exchange, timeline).Peak, timeline.Makespan);
    }
}
