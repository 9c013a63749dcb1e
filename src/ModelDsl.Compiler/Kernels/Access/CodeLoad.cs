using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>Reads neighbours of E4M3 in one piece, exactly.</summary>
internal static class CodeLoad
{
    /// <param name="count">1, 2, or a multiple of four up to 16; zeros where the predicate does not hold.</param>
    public static F32[] Read(KernelBuilder k, GlobalPtr<U8> at, int count, Pred inside)
    {
        if (count == 1) return [k.ToF32(at.As<E4M3>().LoadOr(inside, ((B16)(ushort)0).As<E4M3>()))];
        if (count == 2) return Pair(k, at.As<B16>().LoadOr(inside, (B16)(ushort)0).As<E4M3x2>());
        var words = at.As<B32>().LoadVectorOr(inside, (B32)0u, count / 4);
        return [.. words.SelectMany(word => { var (first, second) = k.Split(word.As<E4M3x4>()); return (F32[])[.. Pair(k, first), .. Pair(k, second)]; })];
    }

    private static F32[] Pair(KernelBuilder k, E4M3x2 pair)
    {
        var (first, second) = k.ToF32(pair);
        return [first, second];
    }
}
