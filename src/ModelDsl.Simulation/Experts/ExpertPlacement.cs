namespace ModelDsl.Simulation.Experts;

/// <summary>Where the replicas of one layer's experts lie. A slot is a place for one expert; slots of a GPU are neighbours.</summary>
/// <param name="PhysicalToLogical">The expert in each slot.</param>
/// <param name="LogicalToPhysical">The slots of each expert, in the order in which its replicas were made.</param>
/// <param name="GpuLoads">Load of each GPU when an expert's load is spread evenly over its replicas.</param>
public sealed record ExpertPlacement(int[] PhysicalToLogical, int[][] LogicalToPhysical, double[] GpuLoads)
{
    public IEnumerable<int> ReplicaCounts => LogicalToPhysical.Select(slots => slots.Length);
}
