using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

/// <summary>
/// A warp-wide product of small matrices, D[m,n] += A[m,k]·B[k,n], accumulated in F32: M is 16, N is 8. Lane l = 4·g + t holds of A rows
/// g and g+8, of B column g, and of D the elements (g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1).
/// </summary>
/// <param name="K">Length of the inner dimension.</param>
/// <param name="A">Element type of A.</param>
/// <param name="B">Element type of B.</param>
/// <param name="Feature">What the target must have.</param>
public sealed record MmaShape(int K, string A, string B, Feature Feature)
{
    public static readonly MmaShape BF16 = new(16, "bf16", "bf16", Feature.Bf16Mma);
    public static readonly MmaShape F16 = new(16, "f16", "f16", Feature.Bf16Mma);
    public static readonly MmaShape TF32 = new(8, "tf32", "tf32", Feature.Bf16Mma);
    public static readonly MmaShape E4M3 = new(32, "e4m3", "e4m3", Feature.Fp8Mma);
    public static readonly MmaShape E5M2 = new(32, "e5m2", "e5m2", Feature.Fp8Mma);
    public static readonly MmaShape E5M2E4M3 = new(32, "e5m2", "e4m3", Feature.Fp8Mma);
    public static readonly MmaShape E4M3E5M2 = new(32, "e4m3", "e5m2", Feature.Fp8Mma);

    /// <summary>As in the opcode.</summary>
    public string Name => $"mma.sync.aligned.m16n8k{K}.row.col.f32.{A}.{B}.f32";
}

public sealed partial class KernelBuilder
{
    /// <summary>Adds a product to four accumulators in place.</summary>
    /// <param name="a">
    /// Four registers: (rows g, first half of k), (rows g+8, first half), (rows g, second half), (rows g+8, second half).
    /// </param>
    /// <param name="b">Two registers: first and second half of k.</param>
    public void Mma(MmaShape shape, Var<F32>[] accumulators, B32[] a, B32[] b)
    {
        var d = new VectorOperand([.. accumulators.Select(v => (Operand)v.Register)]);
        EmitMma(shape, d, a, b, d);
    }

    /// <summary>A product plus four values, as new values; zeros may be constants.</summary>
    public F32[] Mma(MmaShape shape, F32[] c, B32[] a, B32[] b)
    {
        var d = Enumerable.Range(0, 4).Select(_ => (Operand)NewRegister(RegisterClass.F32)).ToArray();
        EmitMma(shape, new VectorOperand(d), a, b, new VectorOperand([.. c.Select(InRegister)]));
        return [.. d.Select(r => new F32(this, r))];
    }

    /// <summary>
    /// Loads 1, 2 or 4 matrices of 8 rows of 16 bytes. Lane i gives the address of row i%8 of matrix i/8; lane 4·g + t receives bytes
    /// 4t to 4t+3 of row g (transposed: the pair of 16-bit elements of column g in rows 2t and 2t+1).
    /// </summary>
    public B32[] LoadMatrix<T>(SharedPtr<T> row, int count, bool transposed = false) where T : Value
    {
        if (count is not (1 or 2 or 4)) throw new PtxException($"ldmatrix loads 1, 2 or 4 matrices, not {count}");
        var d = Enumerable.Range(0, count).Select(_ => (Operand)NewRegister(RegisterClass.B32)).ToArray();
        var name = $"ldmatrix.sync.aligned.m8n8.x{count}{(transposed ? ".trans" : "")}.shared.b16";
        EmitVoid(name, [new VectorOperand(d)], [row.Address(null)], Effect.Reads);
        return [.. d.Select(r => new B32(this, r))];
    }

    private void EmitMma(MmaShape shape, Operand d, B32[] a, B32[] b, Operand c)
    {
        Require(shape.Feature, shape.Name);
        if (a.Length != 4 || b.Length != 2) throw new PtxException($"{shape.Name} takes four registers of A and two of B");
        EmitVoid(shape.Name, [d], [new VectorOperand([.. a.Select(InRegister)]), new VectorOperand([.. b.Select(InRegister)]), c],
            Effect.None);
    }
}
