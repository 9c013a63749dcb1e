namespace ModelDsl.Simulation.Costs;

/// <summary>Bytes by what divides them.</summary>
/// <param name="Whole">On every rank of the stage.</param>
/// <param name="Divided">Among tensor-parallel ranks.</param>
/// <param name="Routed">Rows of experts: grow with the load of the rank's.</param>
public readonly record struct Divisible(double Whole, double Divided, double Routed)
{
    public double On(int tensor, double load) => Whole + Divided / tensor + Routed * load;

    public static Divisible operator +(Divisible a, Divisible b) => new(a.Whole + b.Whole, a.Divided + b.Divided, a.Routed + b.Routed);

    public static Divisible operator -(Divisible a, Divisible b) => new(a.Whole - b.Whole, a.Divided - b.Divided, a.Routed - b.Routed);
}

/// <summary>What a block keeps of a micro-batch, bytes.</summary>
/// <param name="Saved">From the forward to the gradient of the inputs; logits apart.</param>
/// <param name="Pinned">From there to the gradient of the weights.</param>
/// <param name="Logits">As long as <paramref name="Saved"/>; their gradient takes their place.</param>
/// <param name="WorkingForward">Most that its forward needs besides, for a while.</param>
/// <param name="WorkingBackward">Most that its backward needs besides, both halves one after the other.</param>
public sealed record BlockMemory(Divisible Saved, Divisible Pinned, Divisible Logits, Divisible WorkingForward, Divisible WorkingBackward);
