using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation.Memory;

/// <summary>What a stage keeps of a micro-batch on one rank, bytes; see <see cref="Costs.BlockMemory"/>.</summary>
public sealed record ChunkMemory(double Saved, double Pinned, double Logits, double WorkingForward, double WorkingBackward)
{
    /// <summary>What is kept adds up over blocks, what is needed for a while does not.</summary>
    /// <param name="sequences">Of the micro-batch.</param>
    /// <param name="load">Rows of the rank's experts, beside the mean.</param>
    public static ChunkMemory Of(Stage stage, int sequences, double load)
    {
        var blocks = stage.Blocks.Select(block => block.Memory).ToArray();
        double On(RankBytes bytes) => sequences * bytes.On(load);
        return new ChunkMemory(
            blocks.Sum(block => On(block.Saved)), blocks.Sum(block => On(block.Pinned)), blocks.Sum(block => On(block.Logits)),
            blocks.Max(block => On(block.WorkingForward)), blocks.Max(block => On(block.WorkingBackward)));
    }
}
