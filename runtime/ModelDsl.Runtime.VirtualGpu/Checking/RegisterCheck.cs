using System.Runtime.CompilerServices;
using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Registers and predicates read by a lane that has not written them. Copies (<c>mov</c>) pass on what is undefined without a
/// complaint: compilers make them for values nobody uses. What counts is the first use.
/// </summary>
internal sealed unsafe class RegisterCheck(CheckContext context) : IDisposable
{
    private readonly NativeBuffer _defined = new();
    private byte* _rows;
    private int _rowBytes;

    /// <summary>Nothing is defined yet. A row's lane mask is where the row itself would be.</summary>
    public void Begin()
    {
        _rowBytes = context.Launch.Kernel.RegisterBytes;
        long bytes = (long)_rowBytes * context.State->Warps;
        _rows = _defined.Ensure(bytes);
        new Span<byte>(_rows, checked((int)bytes)).Clear();
        for (int w = 0; w < context.State->Warps; w++) *Row(w, Decoding.KernelDecoder.AlwaysTrue) = Lanes.All;
    }

    /// <param name="mask">Lanes at the instruction, whatever its guard says.</param>
    public void CheckGuard(Warp* warp, CheckSite site, uint mask) => Require(warp, site, site.Guard, mask, "the guard predicate");

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(Warp* warp, CheckSite site, uint mask)
    {
        uint defined = Lanes.All;
        foreach (int row in site.Reads)
        {
            if (site.IsCopy) defined &= *Row(warp->Index, row);
            else Require(warp, site, row, mask, "a register");
        }
        foreach (int row in site.Writes)
        {
            uint* lanes = Row(warp->Index, row);
            *lanes = (*lanes & ~mask) | (defined & mask);
        }
    }

    private void Require(Warp* warp, CheckSite site, int row, uint mask, string what)
    {
        uint* defined = Row(warp->Index, row);
        uint missing = mask & ~*defined;
        if (missing != 0) Report(warp, site, row, missing, what);
    }

    private void Report(Warp* warp, CheckSite site, int row, uint missing, string what)
    {
        *Row(warp->Index, row) |= missing;
        if (!context.IsNew(FindingKind.UninitialisedRegister, site)) return;
        string name = NameOf(site, row) ?? what;
        context.Report(
            FindingKind.UninitialisedRegister, site, -1, warp, Bits.TrailingZeroCount(missing), null,
            $"{name} is read before anything was written to it, by {CheckContext.Lanes(missing)} of warp {warp->Index}");
    }

    private string? NameOf(CheckSite site, int row) =>
        context.Launch.Kernel.RegisterNumbers.TryGetValue(row, out int number) ? site.Instruction.Scope.RegisterName(number) : null;

    private uint* Row(int warp, int row) => (uint*)(_rows + (long)warp * _rowBytes + row);

    public void Dispose() => _defined.Dispose();
}
