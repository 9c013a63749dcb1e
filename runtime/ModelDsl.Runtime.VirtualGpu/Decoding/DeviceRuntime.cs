using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Functions that texts declare and the driver provides: a failed <c>assert</c> is a fault, others are refused when they are reached.</summary>
internal static unsafe class DeviceRuntime
{
    private const int AssertParameters = 5;

    public static void Decode(KernelDecoder d, string name, Operand[] arguments)
    {
        if (name == "__assertfail" && arguments.Length == AssertParameters)
        {
            // Message, file, line, function: addresses of text but for the line.
            Span<int> rows = stackalloc int[AssertParameters - 1];
            for (int k = 0; k < rows.Length; k++) rows[k] = Load(d, arguments[k], k == 2 ? PtxType.U32 : PtxType.U64);
            d.Emit(&RuntimeFaults.AssertFailed, a: rows[0], b: rows[1], c: rows[2], e: rows[3]);
            return;
        }
        d.Emit(&RuntimeFaults.Missing);
    }

    /// <summary>The value of a call's parameter.</summary>
    private static int Load(KernelDecoder d, Operand argument, PtxType type)
    {
        if (argument.Kind != OperandKind.Symbol || argument.Variable!.Space != StateSpace.Param) throw d.Error(argument.Position, "pass a .param variable");
        int to = d.NewRow(type.Size() == 8), base_ = d.Frame != null ? d.FrameRow : d.Constant(0, true);
        d.Emit(LoadStoreHandlers.Find(true, StateSpace.Local, true, type, type, 1), -1, base_, to, -1, -1, -1, argument.Variable.Address + argument.Bits, slot: d.NewRange());
        return to;
    }
}
