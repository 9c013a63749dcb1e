using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>How kernels for Hopper begin: one thread makes the barriers, then warpgroup 0 copies and the others multiply, with registers that it has given up.</summary>
internal static class WarpRoles
{
    /// <param name="initialise">By one thread, before any other goes on.</param>
    /// <param name="copyTiles">By the first warp, of which one lane is enough for tensor maps; by all of its warpgroup with <paramref name="allCopy"/>.</param>
    /// <param name="multiply">By each other warpgroup, all of its threads; gets the number of the warp in the block, equal in all lanes.</param>
    /// <param name="prepare">By all threads, before that.</param>
    /// <param name="copyNumbers">By the second warp, where there is something that no tensor map can take.</param>
    public static void Split(KernelBuilder k, Action initialise, int copyRegisters, Action copyTiles, Action<S32> multiply, Action? copyNumbers = null, Action? prepare = null, bool allCopy = false)
    {
        k.Comment("One thread makes the barriers; then warpgroups go their own ways.");
        var warp = k.Shuffle(k.WarpId, 0);
        k.If(warp == 0, () => k.If(k.Elect(), initialise));
        prepare?.Invoke();
        k.SyncThreads();
        k.If(warp < 4, () =>
        {
            k.SetMaxRegisters(copyRegisters, increases: false);
            if (allCopy) copyTiles();
            else k.If(warp == 0, copyTiles);
            if (copyNumbers is not null) k.If(warp == 1, copyNumbers);
        }, () => multiply(warp), uniform: true);
    }
}
