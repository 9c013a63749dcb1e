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
    /// <summary>By row, which load has left it undefined last.</summary>
    private readonly Dictionary<int, CheckSite> _loads = [];
    private byte* _rows;
    private int _rowBytes;

    /// <summary>Nothing is defined yet. A row's lane mask is where the row itself would be.</summary>
    public void Begin()
    {
        _rowBytes = context.Launch.Kernel.RegisterBytes;
        _loads.Clear();
        long bytes = (long)_rowBytes * context.State->Warps;
        _rows = _defined.Ensure(bytes);
        new Span<byte>(_rows, checked((int)bytes)).Clear();
        for (int w = 0; w < context.State->Warps; w++) *Row(w, Decoding.KernelDecoder.AlwaysTrue) = Lanes.All;
    }

    /// <param name="mask">Lanes at the instruction, whatever its guard says.</param>
    public void CheckGuard(Warp* warp, CheckSite site, uint mask) => Require(warp, site, site.Guard, mask, "the guard predicate");

    /// <param name="isLocalStore">It stores to local memory, which is a copy like <c>mov</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(Warp* warp, CheckSite site, uint mask, bool isLocalStore)
    {
        uint defined = Lanes.All;
        foreach (int row in site.Reads)
        {
            if (isLocalStore && Array.IndexOf(site.Data, row) >= 0) continue;
            if (site.IsCopy) defined &= *Row(warp->Index, row);
            else Require(warp, site, row, mask, "a register");
        }
        foreach (int row in site.Writes)
        {
            uint* lanes = Row(warp->Index, row);
            *lanes = (*lanes & ~mask) | (defined & mask);
            if ((defined & mask) != mask && _loads.TryGetValue(site.Reads[0], out CheckSite? load)) _loads[row] = load;
        }
    }

    /// <summary>A load has found nothing written for a lane.</summary>
    public void Undefine(Warp* warp, CheckSite site, int lane)
    {
        foreach (int row in site.Writes)
        {
            *Row(warp->Index, row) &= ~(1u << lane);
            _loads[row] = site;
        }
    }

    /// <summary>Whether a lane has a value for all that a store stores.</summary>
    public bool HasData(Warp* warp, CheckSite site, int lane)
    {
        foreach (int row in site.Data)
            if (row >= 0 && Array.IndexOf(site.Reads, row) >= 0 && (*Row(warp->Index, row) >> lane & 1) == 0) return false;
        return true;
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
        if (_loads.TryGetValue(row, out CheckSite? load))
        {
            // A field of bits is written by reading the word around it.
            if (site.Instruction.Name is "and" or "or" or "lop3" or "bfi" or "bfe") return;
            if (!context.IsNew(FindingKind.UninitialisedMemory, load)) return;
            context.Report(
                FindingKind.UninitialisedMemory, load, site.Position, warp, Bits.TrailingZeroCount(missing), null,
                $"{load.Bytes} bytes of local memory are read here that were never written, and what is read is used");
            return;
        }
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
