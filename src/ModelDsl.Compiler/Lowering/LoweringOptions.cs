namespace ModelDsl.Compiler.Lowering;

/// <param name="Context">Longest sequence: rows of the cos and sin tables.</param>
/// <param name="Page">Tokens per page of the cache.</param>
/// <param name="SplitPages">Pages of one split of decode attention.</param>
/// <param name="Taps">Intermediate tensors for <c>--dump</c> are kept.</param>
public sealed record LoweringOptions(int Context, int Page, int SplitPages, bool Taps);
