using System.Globalization;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>
/// A first estimate of what the fullest GPU must hold: weights, gradients and optimizer state of a run; weights and latent
/// cache of a deployment. Activations and buffers come on top, so that what does not fit here does not fit at all.
/// </summary>
internal static class MemoryChecks
{
    private const int LargestConsumers = 3;

    /// <summary>Above this share of the memory, activations will hardly find room.</summary>
    private const double TightShare = 0.9;

    public static void Train(TrainSpec train, SourceSpan at, DiagnosticBag diagnostics)
    {
        var counts = ParameterCounts.Of(train.Model);
        var (stages, tensor, expert) = (train.Parallel.Pipeline, train.Parallel.Tensor, train.Parallel.Expert);
        var holders = train.Cluster.Gpus / (double)stages;
        // DualPipe keeps two stages on every rank, one for each direction (V3 report, table 2).
        var copies = train.Schedule.Kind.StartsWith("dualpipe", StringComparison.Ordinal) ? 2 : 1;
        var experts = (counts.RoutedExperts + counts.Mtp) / stages / expert;
        // Tensor-parallel ranks divide the projections of heads, which are nearly all of attention, and hold everything else whole.
        var others = (counts.Attention / tensor + counts.Dense) / stages + counts.Embedding / Math.Min(stages, 2);

        var state = train.Precision.State;
        double Sharded(double bytes, double ranks, DataSharding from) => train.Parallel.Data >= from ? bytes / Math.Max(1, ranks) : bytes;
        double All(double bytesEach, DataSharding from, double copied) =>
            Sharded(experts * bytesEach * copied, holders / expert, from) + Sharded(others * bytesEach * copied, holders, from);

        Report(train.Cluster, train.Name, "weights, gradients and optimizer state",
        [
            ("weights", All(ServeMemory.Bytes(train.Precision.Gemm.Format), DataSharding.Zero3, copies)),
            ("gradients", All(ServeMemory.Bytes(state.Gradients), DataSharding.Zero2, copies)),
            ("master weights", All(ServeMemory.Bytes(state.Master), DataSharding.Zero1, 1)),
            ("moments", All(2 * ServeMemory.Bytes(state.Moments), DataSharding.Zero1, 1)),
        ], fits => message => Catalogue.TrainMemory(at, fits, message), diagnostics);
    }

    public static void Serve(ServeSpec serve, ServePhase phase, BoundBlock block, DiagnosticBag diagnostics)
    {
        var context = (double)serve.Model.Context;
        Report(serve.Cluster, $"{serve.Name}, {block.Schema.Name}",
            $"weights and the cache of one sequence of {Catalogue.Count(serve.Model.Context)} tokens",
        [
            .. ServeMemory.Weights(serve, phase), ("latent cache", ServeMemory.CacheBytesPerToken(serve) * context),
        ], fits => message => Catalogue.ServeMemory(block.SpanOf("unit"), fits, message), diagnostics);
    }

    private static void Report(
        ClusterSpec cluster, string name, string what, (string Name, double Bytes)[] consumers,
        Func<bool, Func<string, Diagnostic>> report, DiagnosticBag diagnostics)
    {
        var total = consumers.Sum(c => c.Bytes);
        var memory = (double)cluster.Gpu.MemoryBytes;
        if (total <= TightShare * memory) return;
        var largest = string.Join(", ", consumers.OrderByDescending(c => c.Bytes).Take(LargestConsumers)
            .Select(c => $"{c.Name} {Gigabytes(c.Bytes)}"));
        var fits = total <= memory;
        var verdict = fits
            ? $"leaves {Gigabytes(memory - total)} of {Gigabytes(memory)} for everything else"
            : $"{Gigabytes(total - memory)} more than the {Gigabytes(memory)} of {cluster.Gpu.Name}";
        diagnostics.Add(report(fits)($"{name} needs {Gigabytes(total)} per GPU for {what}, {verdict}; the largest: {largest}"));
    }

    private static string Gigabytes(double bytes) =>
        (bytes / 1e9).ToString(bytes < 1e11 ? "0.0" : "0", CultureInfo.InvariantCulture) + " GB";
}
