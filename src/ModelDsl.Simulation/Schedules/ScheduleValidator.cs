namespace ModelDsl.Simulation.Schedules;

/// <summary>What must hold of every schedule, whoever made it.</summary>
public static class ScheduleValidator
{
    /// <summary>What is wrong, each with its rank; empty if nothing is.</summary>
    public static IReadOnlyList<string> Violations(Schedule schedule)
    {
        var violations = new List<string>();
        for (var rank = 0; rank < schedule.Ranks; rank++) CheckProgram(schedule, rank, violations);
        // Order among ranks does not depend on times, so any will do.
        foreach (var (rank, op) in ScheduleSimulation.Run(schedule, new OpTimes(1, 1, 1, 2.5)).Stuck)
            violations.Add($"rank {rank} waits for ever at {op}");
        return violations;
    }

    /// <summary>Micro-batches whose activations a rank holds at most: from their forward's start to their input gradient's end.</summary>
    public static int PeakLive(Schedule schedule, int rank)
    {
        var (live, peak) = (0, 0);
        foreach (var op in schedule.Programs[rank])
        {
            if (op.IsForward) peak = Math.Max(peak, ++live);
            if (op.IsBackward) live--;
        }
        return peak;
    }

    /// <summary>Weight gradients that wait at a rank at most.</summary>
    public static int PeakDeferred(Schedule schedule, int rank)
    {
        var (waiting, peak) = (0, 0);
        foreach (var op in schedule.Programs[rank])
        {
            if (op.Kind == OpKind.BackwardInput) peak = Math.Max(peak, ++waiting);
            if (op.Kind == OpKind.BackwardWeight) waiting--;
        }
        return peak;
    }

    private static void CheckProgram(Schedule schedule, int rank, List<string> violations)
    {
        var program = schedule.Programs[rank];
        for (var part = 0; part < schedule.Placement.PartsPerRank; part++)
        {
            Count("forwards", part, program.Count(op => op.IsForward && op.Part == part));
            Count("backwards", part, program.Count(op => op.IsBackward && op.PartOfBackward == part));
        }

        var waiting = 0;
        foreach (var op in program)
        {
            if (op.Kind == OpKind.BackwardInput) waiting++;
            if (op.Kind == OpKind.BackwardWeight && --waiting < 0) violations.Add($"rank {rank} does a W before there is one to do");
        }
        if (waiting > 0) violations.Add($"rank {rank} leaves {waiting} weight gradients undone");

        void Count(string what, int part, int found)
        {
            if (found != schedule.MicroBatchesPerPipe)
                violations.Add($"rank {rank} does {found} {what} of its part {part} for {schedule.MicroBatchesPerPipe} micro-batches");
        }
    }
}
