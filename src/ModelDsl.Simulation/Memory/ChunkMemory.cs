using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation.Memory;

/// <summary>What a stage keeps of a micro-batch on one rank, bytes; see <see cref="Costs.BlockMemory"/>.</summary>
public sealed record ChunkMemory(double Saved, double Pinned, double Logits, double WorkingForward, double WorkingBackward)
{
    /// <summary>What is kept adds up over blocks, what is needed for a while does not.</summary>
    /// <param name="load">Rows of the rank's experts, beside the mean.</param>
    public static ChunkMemory Of(Stage stage, int tensor, double load)
    {
        var blocks = stage.Blocks.Select(block => block.Memory).ToArray();
        return new ChunkMemory(
            blocks.Sum(block => block.Saved.On(tensor, load)), blocks.Sum(block => block.Pinned.On(tensor, load)),
            blocks.Sum(block => block.Logits.On(tensor, load)), blocks.Max(block => block.WorkingForward.On(tensor, load)),
            blocks.Max(block => block.WorkingBackward.On(tensor, load)));
    }
}
