namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Experts: rows of A that are multiplied by different W[N,K], all in one W[G,N,K].</summary>
/// <param name="Count">G.</param>
public abstract record Fp8Groups(int Count);

/// <summary>
/// A[R,K] in order of groups, each of which starts at a multiple of the tile's rows; <c>groups</c> i32[R] names the group of each row, negative for
/// tiles that nobody wants, whose rows of C stay as they are.
/// </summary>
public sealed record ContiguousGroups(int Count) : Fp8Groups(Count);

/// <summary>
/// A[G,M,K], of which the first <c>counts</c> i32[G] rows of a group count. Grids do not depend on the counts, so a graph of launches may be recorded. Rows of
/// C behind them are written as far as their tile goes, with nothing of use.
/// </summary>
/// <param name="Rows">M.</param>
public sealed record MaskedGroups(int Count, int Rows) : Fp8Groups(Count);

/// <summary>
/// A[R,K] in order of groups, of any number of rows each: <c>offsets</c> i32[G+1] says where they begin, and tiles come from the list that <see cref="Moe.DispatchKernel"/> makes for the tile's rows. Rows of a
/// group's last tile that are the next group's are multiplied, but not written.
/// </summary>
public sealed record ListedGroups(int Count) : Fp8Groups(Count);
