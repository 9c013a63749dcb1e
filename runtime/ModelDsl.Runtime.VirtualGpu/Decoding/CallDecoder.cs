using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary><c>call (result), function, (arguments)</c>: the function's instructions are put in the place of the call.</summary>
internal static unsafe class CallDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        Operand[] results = [], arguments = [];
        int at = 0;
        if (i.Operands.Length > 0 && i.Operands[0].Kind == OperandKind.List) results = i.Operands[at++].Items;
        if (at >= i.Operands.Length || i.Operands[at].Kind != OperandKind.Label) throw d.Error("calls go to a function by its name; indirect calls are not supported");
        Operand name = i.Operands[at++];
        if (at < i.Operands.Length) arguments = i.Operands[at].Kind == OperandKind.List ? i.Operands[at++].Items : throw d.Error(i.Operands[at].Position, "arguments are in parentheses");
        PtxFunction function = d.Kernel.Module.Functions.Find(f => f.Name == name.Name) ?? throw d.Error(name.Position, $"function '{name.Name}' is not defined in this module");
        if (function.IsEntry) throw d.Error(name.Position, $"'{name.Name}' is an entry; calls go to functions");
        if (arguments.Length != function.Parameters.Count || results.Length != function.Results.Count)
            throw d.Error($"'{name.Name}' takes {function.Parameters.Count} arguments and gives {function.Results.Count} results, not {arguments.Length} and {results.Length}");
        if (i.Guard >= 0) d.EmitSkip();

        FunctionInstance callee = d.Enter(function);
        for (int k = 0; k < arguments.Length; k++) Bind(d, callee, function.Parameters[k], arguments[k], isResult: false);
        for (int k = 0; k < results.Length; k++) Bind(d, callee, function.Results[k], results[k], isResult: true);
        d.DecodeBody(callee);
        for (int k = 0; k < results.Length; k++) TakeResult(d, callee, function.Results[k], results[k]);
        return true;
    }

    /// <summary>A <c>.param</c> of the callee is the caller's variable; a <c>.reg</c> is a copy.</summary>
    private static void Bind(KernelDecoder d, FunctionInstance callee, PtxVariable formal, Operand actual, bool isResult)
    {
        if (formal.Register is not { } register)
        {
            if (actual.Kind != OperandKind.Symbol || actual.Variable!.Space != StateSpace.Param) throw d.Error(actual.Position, $"'{formal.Name}' is in .param; pass a .param variable");
            formal.Address = actual.Variable.Address + actual.Bits;
            return;
        }
        if (isResult) return;
        int from = d.Source(actual, formal.Type);
        MoveDecoder.Copy(d, d.RowIn(callee, register), from, formal.Type.Size() == 8);
    }

    private static void TakeResult(KernelDecoder d, FunctionInstance callee, PtxVariable formal, Operand actual)
    {
        if (formal.Register is { } register) MoveDecoder.Copy(d, d.Destination(actual, formal.Type), d.RowIn(callee, register), formal.Type.Size() == 8);
    }
}
