using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation.Memory;

/// <summary>What a rank holds from the first step to the last, bytes.</summary>
/// <param name="Parameters">On the rank.</param>
/// <param name="Weights">As kernels read them; FP8 ones twice, as the tensor core wants rows of what it sums over: forward and backward sum over different ones.</param>
/// <param name="Master">The optimizer's copy.</param>
/// <param name="Updated">Parameters whose optimizer state is the rank's own.</param>
public sealed record StateMemory(double Parameters, double Weights, double Gradients, double Master, double Moments, double Updated)
{
    /// <summary>One FP32 scale for every block of 128 x 128.</summary>
    private const double Fp8Copy = 1 + 4 / (128.0 * 128);

    /// <param name="stages">That the rank holds.</param>
    /// <param name="shareEmbeddings">An MTP module reads the rank's own embedding and head; otherwise it has copies of both.</param>
    public static StateMemory Of(TrainSpec train, Schedule schedule, IReadOnlyList<Stage> stages, int replicas, bool shareEmbeddings)
    {
        var (spread, state) = (train.Parallel, train.Precision.State);
        var blocks = stages.SelectMany(stage => stage.Blocks).ToArray();
        var sum = new StateMemory(0, 0, 0, 0, 0, 0);
        foreach (var block in blocks)
            foreach (var weights in block.Weights)
            {
                if (weights.Shared && block.Kind == BlockKind.Mtp && shareEmbeddings) continue;
                var parameters = weights.Parameters / (weights.Routed ? spread.Expert : 1);
                // Where micro-batches enter at both ends, two ranks hold a stage, and divide its state.
                var holders = weights.Holders((double)replicas * schedule.Placement.Pipes, spread);
                double Of(double bytes, DataSharding from) => parameters * bytes / (spread.Data >= from ? holders : 1);
                var read = weights.Type switch { DType.E4M3 => 2 * Fp8Copy, DType.BF16 => 2.0, _ => 4.0 };
                sum = new StateMemory(
                    sum.Parameters + parameters,
                    sum.Weights + Of(read, DataSharding.Zero3),
                    sum.Gradients + Of(Bytes(state.Gradients), DataSharding.Zero2),
                    sum.Master + Of(Bytes(state.Master), DataSharding.Zero1),
                    sum.Moments + Of(2 * Bytes(state.Moments), DataSharding.Zero1),
                    sum.Updated + Of(1, DataSharding.Zero1));
            }
        // Head and embedding of a module that cannot reach the model's embedding: it has one of its own.
        if (shareEmbeddings && blocks.Any(block => block.Kind == BlockKind.Mtp) && blocks.All(block => block.Kind != BlockKind.Embedding))
        {
            var embedding = (double)train.Model.Vocabulary * train.Model.Hidden;
            sum = sum with
            {
                Parameters = sum.Parameters + embedding, Weights = sum.Weights + 2 * embedding,
                Gradients = sum.Gradients + Bytes(state.Gradients) * embedding,
            };
        }
        return sum;
    }

    /// <summary>State is kept without scales.</summary>
    private static double Bytes(NumberFormat format) => format is NumberFormat.E4M3 or NumberFormat.E5M2 ? 1 : FormatBytes.Of(format);
}
