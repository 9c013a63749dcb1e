using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>Reads off an instruction what the checks have to do at it.</summary>
internal static class CheckSiteDecoder
{
    public static void Complete(KernelDecoder d, CheckSite site)
    {
        PtxInstruction i = site.Instruction;
        site.Seal();
        site.Kind = Kind(i);
        if (site.Kind == SiteKind.Exit && !d.IsInEntry) site.Kind = SiteKind.Plain;
        site.IsBlockScope = i.Has("cta");
        site.IsVolatile = i.Has("volatile");
        site.IsCompareAndSwap = i.Name == "atom" && i.Has("cas");
        site.IsBlind = i.Name == "red" && (i.Has("and") || i.Has("or"));
        site.IsNonCoherent = i.Has("nc");
        site.IsAcquire = i.Has("acquire") || i.Has("acq_rel") || i.Has("sc");
        site.IsRelease = i.Has("release") || i.Has("acq_rel") || i.Has("sc");
        site.IsStrong = site.Kind == SiteKind.Atomic || site.IsVolatile || site.IsAcquire || site.IsRelease || i.Has("relaxed") || i.Has("mmio");
        site.IsCopy = i.Name is "mov";
        site.IsInFrame = d.Frame != null;
        if (IsBarrierObject(i))
        {
            // Who arrives tells what it knows to those who find the barrier complete.
            (site.IsStrong, site.IsAcquire, site.IsRelease) = (true, true, !i.Has("test_wait") && !i.Has("try_wait"));
            site.WaitsForCopies = i.Name == "cp";
        }
        site.Bytes = Bytes(i, site.Kind);
        switch (site.Kind)
        {
            case SiteKind.BulkWait or SiteKind.ProductWait:
                site.GroupsLeft = i.Operands.Length > 0 ? (int)Math.Min(i.Operands[0].Bits, int.MaxValue) : 0;
                site.IsAligned = site.Kind == SiteKind.ProductWait;
                break;
            case SiteKind.AsyncWait:
                site.GroupsLeft = i.Operands.Length > 0 && !i.Has("wait_all") ? (int)Math.Min(i.Operands[0].Bits, int.MaxValue) : 0;
                break;
            case SiteKind.WarpExchange or SiteKind.WarpBarrier when i.Has("sync"):
                // The member mask is the last operand of all of them; votes have no other row.
                if (site.Sources.Length > 0) site.MaskRow = site.Sources[^1];
                break;
            case SiteKind.Barrier or SiteKind.BarrierArrive:
                if (site.Sources.Length > 1) site.MaskRow = site.Sources[1];
                site.IsAligned = i.Name == "bar" || i.Has("aligned");
                break;
            case SiteKind.MatrixLoad or SiteKind.MatrixStore or SiteKind.WarpWide or SiteKind.Product or SiteKind.ProductFence or SiteKind.ProductCommit:
                site.IsAligned = true;
                break;
        }
        site.Arithmetic = Arithmetic(i);
    }

    private static SiteKind Kind(PtxInstruction i) => i.Name switch
    {
        "ld" or "ldu" => SiteKind.Load,
        "st" => SiteKind.Store,
        "atom" or "red" => SiteKind.Atomic,
        "mbarrier" when i.Has("init") || i.Has("inval") => SiteKind.Store,
        _ when IsBarrierObject(i) => SiteKind.Atomic,
        "cp" when i.Has("bulk") && i.Has("commit_group") => SiteKind.BulkCommit,
        "cp" when i.Has("bulk") && i.Has("wait_group") => SiteKind.BulkWait,
        "cp" when i.Has("bulk") => i.Has("prefetch") ? SiteKind.Plain : SiteKind.BulkCopy,
        "cp" when i.Has("commit_group") => SiteKind.AsyncCommit,
        "cp" when i.Has("wait_group") || i.Has("wait_all") => SiteKind.AsyncWait,
        "cp" => SiteKind.AsyncCopy,
        "ldmatrix" => SiteKind.MatrixLoad,
        "stmatrix" => SiteKind.MatrixStore,
        "bar" or "barrier" when i.Has("warp") => SiteKind.WarpBarrier,
        "bar" or "barrier" when i.Has("cluster") => i.Has("wait") ? SiteKind.ClusterWait : SiteKind.ClusterArrive,
        "bar" or "barrier" when i.Has("arrive") => SiteKind.BarrierArrive,
        "bar" or "barrier" => SiteKind.Barrier,
        "shfl" or "vote" or "match" or "redux" or "elect" => SiteKind.WarpExchange,
        "mma" or "wmma" => SiteKind.WarpWide,
        "wgmma" => i.Opcode[1] switch { "fence" => SiteKind.ProductFence, "commit_group" => SiteKind.ProductCommit, "wait_group" => SiteKind.ProductWait, _ => SiteKind.Product },
        "fence" when i.Has("proxy") && i.Has("async") => SiteKind.ProxyFence,
        "membar" or "fence" when !i.Has("proxy") => SiteKind.Fence,
        "exit" or "ret" => SiteKind.Exit,
        _ => SiteKind.Plain,
    };

    /// <summary>A barrier that is a word in shared memory.</summary>
    private static bool IsBarrierObject(PtxInstruction i) => (i.Name == "mbarrier" && !i.Has("pending_count")) || (i.Name == "cp" && i.Has("mbarrier"));

    private static int Bytes(PtxInstruction i, SiteKind kind)
    {
        switch (kind)
        {
            case SiteKind.Store or SiteKind.Atomic when IsBarrierObject(i):
                return sizeof(ulong);
            case SiteKind.Load or SiteKind.Store or SiteKind.Atomic:
                return PtxTypes.Parse(i.Opcode[^1]).Size() * (i.Has("v2") ? 2 : i.Has("v4") ? 4 : 1);
            case SiteKind.AsyncCopy:
                return i.Operands.Length > 2 ? (int)i.Operands[2].Bits : 0;
            case SiteKind.MatrixLoad or SiteKind.MatrixStore:
                return 16;
            default:
                return 0;
        }
    }

    private static ArithmeticKind Arithmetic(PtxInstruction i)
    {
        PtxType type = PtxTypes.Parse(i.Opcode[^1]);
        if (i.Name == "mov" || i.Name == "cvta") return i.Operands[^1].Kind == OperandKind.Vector ? ArithmeticKind.Other : ArithmeticKind.Copy;
        if (i.Name == "cvt")
        {
            PtxType[] types = i.Types();
            if (types.Length != 2 || types[0].IsFloat() || types[1].IsFloat()) return ArithmeticKind.Other;
            if (types[0].Size() == 8 && types[1].Size() == 4) return types[1].IsSigned() ? ArithmeticKind.WidenSigned : ArithmeticKind.WidenUnsigned;
            return types[0].Size() == types[1].Size() && types[0].Size() >= 4 ? ArithmeticKind.Copy : ArithmeticKind.Other;
        }
        if (type.IsFloat() || i.Has("cc") || i.Has("hi") || i.Has("sat")) return ArithmeticKind.Other;
        bool isWide = type.Size() == 8;
        if (type.Size() is not (4 or 8)) return ArithmeticKind.Other;
        return i.Name switch
        {
            "mul" or "mad" when i.Has("wide") => type.IsSigned() ? ArithmeticKind.MultiplyWideSigned : ArithmeticKind.MultiplyWideUnsigned,
            "add" or "sub" or "mul" or "mad" or "shl" or "neg" when isWide => ArithmeticKind.Wide,
            "add" => ArithmeticKind.Add,
            "sub" => ArithmeticKind.Subtract,
            "mul" => ArithmeticKind.Multiply,
            "mad" => ArithmeticKind.MultiplyAdd,
            "shl" => ArithmeticKind.ShiftLeft,
            "neg" => ArithmeticKind.Negate,
            "selp" => ArithmeticKind.Select,
            _ => ArithmeticKind.Other,
        };
    }
}
