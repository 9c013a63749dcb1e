using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Sums of FP8 products as a warpgroup has them. Tensor cores sum 128 of the depth in registers of their own, with some 14 bits; ordinary
/// cores scale that and add it up in FP32 (V3 report, section 3.3.2). Several waves of 64 rows take turns in the tensor cores' registers.
/// </summary>
internal sealed class PromotedSums(KernelBuilder k, WgmmaShape shape, int waves)
{
    private readonly Var<F32>[] _block = k.Vars<F32>(shape.Registers, 0f);
    private readonly Var<F32>[][] _sums = [.. Enumerable.Range(0, waves).Select(_ => k.Vars<F32>(shape.Registers, 0f))];

    /// <summary>The sums of a thread for two rows, eight apart: element 4j + 2h + i is column 8j + 2t + i of row g + 8h.</summary>
    public F32 this[int wave, int element] => _sums[wave][element].Value;

    public void Clear()
    {
        foreach (var sum in _sums.SelectMany(wave => wave)) sum.Value = 0f;
    }

    /// <summary>Multiplies 64 rows of A by the columns of W over a step of 128 bytes in swizzled rows, and waits.</summary>
    public void Multiply(TileDescriptor a, TileDescriptor w)
    {
        const int Next = 32;
        k.WgmmaFence();
        for (var part = 0; part < 4; part++) k.Wgmma(shape, _block, a + part * Next, w + part * Next, accumulates: part > 0);
        k.WgmmaCommit();
        k.WgmmaWait(0);
    }

    /// <summary>Adds what <see cref="Multiply"/> has left, scaled for each of the two rows.</summary>
    public void Promote(int wave, F32 upper, F32 lower)
    {
        for (var e = 0; e < _block.Length; e++)
        {
            var sum = _sums[wave][e];
            sum.Value = k.Fma(_block[e].Value, e % 4 < 2 ? upper : lower, sum.Value);
        }
    }

    /// <summary>Adds what <see cref="Multiply"/> has left, scaled for each of the thread's columns 8j + 2t and 8j + 2t + 1.</summary>
    public void PromoteColumns(int wave, IReadOnlyList<F32> scales)
    {
        for (var e = 0; e < _block.Length; e++)
        {
            var sum = _sums[wave][e];
            sum.Value = k.Fma(_block[e].Value, scales[e / 4 * 2 + e % 2], sum.Value);
        }
    }

    /// <summary>Adds what <see cref="Multiply"/> has left of a single wave, scaled for each of the two rows and each of the thread's columns.</summary>
    public void Promote(F32 upper, F32 lower, IReadOnlyList<F32> columns)
    {
        for (var e = 0; e < _block.Length; e++)
        {
            var sum = _sums[0][e];
            sum.Value = k.Fma(_block[e].Value * columns[e / 4 * 2 + e % 2], e % 4 < 2 ? upper : lower, sum.Value);
        }
    }
}
