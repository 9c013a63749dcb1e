namespace ModelDsl.Compiler.Lowering;

/// <param name="Context">Longest sequence: rows of the cos and sin tables.</param>
/// <param name="Page">Tokens per page of the cache.</param>
/// <param name="SplitPages">Pages of one split of decode attention.</param>
/// <param name="Taps">Intermediate tensors for <c>--dump</c> are kept.</param>
/// <param name="Drafts">The stream after the last norm is an output: an MTP module goes on from it.</param>
/// <param name="BalanceOnChosen">The balance loss counts the experts that were chosen, with bias and groups; else, as the V3 report prints
/// it in equation 18, those with the best scores (training).</param>
public sealed record LoweringOptions(
    int Context, int Page, int SplitPages, bool Taps, bool Drafts = false, bool BalanceOnChosen = false);
