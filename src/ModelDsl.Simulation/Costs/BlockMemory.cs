namespace ModelDsl.Simulation.Costs;

/// <summary>Bytes on one rank.</summary>
/// <param name="Own">Whatever its experts get.</param>
/// <param name="Routed">Rows of experts: grow with the load of the rank's.</param>
public readonly record struct RankBytes(double Own, double Routed)
{
    public double On(double load) => Own + Routed * load;

    public static RankBytes operator +(RankBytes a, RankBytes b) => new(a.Own + b.Own, a.Routed + b.Routed);

    public static RankBytes operator -(RankBytes a, RankBytes b) => new(a.Own - b.Own, a.Routed - b.Routed);
}

/// <summary>What a block keeps of a micro-batch, bytes.</summary>
/// <param name="Saved">From the forward to the gradient of the inputs; logits apart.</param>
/// <param name="Pinned">From there to the gradient of the weights.</param>
/// <param name="Logits">As long as <paramref name="Saved"/>; their gradient takes their place.</param>
/// <param name="WorkingForward">Most that its forward needs besides, for a while.</param>
/// <param name="WorkingBackward">Most that its backward needs besides, both halves one after the other.</param>
public sealed record BlockMemory(RankBytes Saved, RankBytes Pinned, RankBytes Logits, RankBytes WorkingForward, RankBytes WorkingBackward);
