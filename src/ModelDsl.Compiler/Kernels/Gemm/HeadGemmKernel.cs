using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// One small product per head, <c>C = A · Wᵀ</c> (W stored [N, K]) or, transposed, <c>C = A · W</c> (W stored [K, N]): how MLA absorbs its
/// up-projections into the query and the output when it decodes.
/// </summary>
/// <param name="ARow">Elements from row to row of A.</param>
/// <param name="AHead">Elements from head to head of A.</param>
/// <param name="WHead">Elements from head to head of W.</param>
/// <param name="WOffset">Elements before the first head's W.</param>
/// <param name="CRow">Elements from row to row of C.</param>
/// <param name="CHead">Elements from head to head of C.</param>
public sealed record HeadGemmKernel(
    int Heads, int N, int K, int ARow, int AHead, int WHead, int WOffset, bool Transposed, int CRow, int CHead, DType Io) : Kernel
{
    public override string Name =>
        $"head_gemm_h{Heads}_n{N}_k{K}_a{ARow}_{AHead}_w{WHead}_{WOffset}_c{CRow}_{CHead}_{Io.Text()}" + KernelNames.If(Transposed, "t");

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("a", Io), KernelParameter.In("w", Io), KernelParameter.Out("c", Io), KernelParameter.Int("rows")];

    public override LaunchGeometry Geometry => Plan.Geometry(Dim.CeilDiv(Dim.Rows, Plan.Rows), N, Heads);

    private GemmPlan Plan => GemmPlan.ForHeads(Io);

    protected override void Write(KernelBuilder k) => Plan.Write(k, () =>
    {
        var a = Matrix.Parameter(k, "a", Io, ARow, AHead, K);
        var w = Matrix.Parameter(k, "w", Io, Transposed ? N : K, WHead, WOffset);
        var c = Matrix.Parameter(k, "c", Io, CRow, CHead, N);
        var (head, bytes) = (k.BlockIdZ, Io.Bytes());
        a = a with { Start = a.Start.Row(head, AHead * bytes) };
        w = w with { Start = w.Start.AddBytes((long)WOffset * bytes).Row(head, WHead * bytes) };
        c = c with { Start = c.Start.Row(head, CHead * bytes) };
        return new GemmProblem(k, N, K, a, w, c, k.BlockIdX * Plan.Rows, k.S32Param("rows"), k.BlockIdY * Plan.Columns)
        {
            Transposed = Transposed,
        };
    });
}
