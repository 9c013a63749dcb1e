using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Rope;

/// <summary>Cosines and sines by position: <c>[context, rope_dim / 2]</c> each.</summary>
internal sealed record RotaryTables(GlobalPtr<F32> Cos, GlobalPtr<F32> Sin, int Pairs)
{
    /// <summary>The kernel's next two parameters.</summary>
    public static RotaryTables Param(KernelBuilder k, int ropeDim) =>
        new(k.GlobalPtrParam<F32>("cos"), k.GlobalPtrParam<F32>("sin"), ropeDim / 2);

    /// <summary>Rotates neighbouring pairs: <c>(a, b)</c> becomes <c>(a cos - b sin, a sin + b cos)</c>.</summary>
    /// <param name="pair">Number of the first pair within the rotated part.</param>
    /// <param name="offsets">Elements from <paramref name="from"/> to the first pair of each head that is rotated by these angles.</param>
    /// <param name="count">Elements to rotate of a head, two per pair.</param>
    /// <param name="vector">Elements that may be read at once.</param>
    /// <param name="toOffset">Where in <paramref name="to"/> the one head goes, if not to the same place.</param>
    public void Rotate(S32 position, S32 pair, ActivationPtr from, ActivationPtr to, IReadOnlyList<int> offsets, int count, int vector, Pred inside, int? toOffset = null)
    {
        F32[] Angle(GlobalPtr<F32> table) => (table.Row(position, Pairs) + pair).LoadManyOr(inside, count / 2, LoadHint.ReadOnly);
        var heads = offsets.Select(offset => Steps(offset).SelectMany(at => from.Load(at, vector, inside)).ToArray()).ToArray();
        var (cos, sin) = (Angle(Cos), Angle(Sin));
        for (var head = 0; head < heads.Length; head++)
        {
            var (x, y) = (heads[head], new F32[count]);
            for (var i = 0; i < count / 2; i++)
            {
                var (a, b) = (x[2 * i], x[2 * i + 1]);
                (y[2 * i], y[2 * i + 1]) = (a * cos[i] - b * sin[i], a * sin[i] + b * cos[i]);
            }
            foreach (var at in Steps(0)) to.Store(at + (toOffset ?? offsets[head]), [.. y.Skip(at).Take(vector)], inside);
        }

        IEnumerable<int> Steps(int first) => Enumerable.Range(0, count / vector).Select(i => first + i * vector);
    }
}
