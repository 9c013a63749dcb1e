using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>Rounds neighbours to E4M3 and writes them in one piece.</summary>
internal static class CodeStore
{
    /// <param name="x">1, 2 or a multiple of four.</param>
    public static void Write(KernelBuilder k, GlobalPtr<U8> at, F32[] x, Pred inside)
    {
        switch (x.Length)
        {
            case 1: at.As<E4M3>().StoreIf(inside, k.ToE4M3(x[0])); break;
            case 2: at.As<E4M3x2>().StoreIf(inside, k.ToE4M3x2(x[0], x[1])); break;
            default:
                var words = Enumerable.Range(0, x.Length / 4).Select(i => k.ToE4M3x4(x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]));
                at.As<E4M3x4>().StoreVector([.. words], predicate: inside);
                break;
        }
    }
}
