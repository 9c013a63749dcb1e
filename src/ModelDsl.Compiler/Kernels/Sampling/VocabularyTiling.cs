namespace ModelDsl.Compiler.Kernels.Sampling;

/// <summary>How a block walks a row of logits.</summary>
internal static class VocabularyTiling
{
    /// <summary>Enough threads that each sees at least sixteen logits, at most 1024.</summary>
    public static int Threads(int vocabulary) => Math.Min(1024, (vocabulary + 511) / 512 * 32);
}
