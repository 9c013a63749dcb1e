using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>
/// <c>call (result), function, (arguments)</c>: the function's instructions are put in the place of the call, or control goes to
/// the one body it has (see <see cref="CallGraph"/>).
/// </summary>
internal static unsafe class CallDecoder
{
    public static bool Decode(KernelDecoder d, PtxInstruction i)
    {
        Operand[] results = [], arguments = [];
        int at = 0;
        if (i.Operands.Length > 0 && i.Operands[0].Kind == OperandKind.List) results = i.Operands[at++].Items;
        if (at >= i.Operands.Length) throw d.Error("the function of the call is missing");
        Operand callee = i.Operands[at++];
        if (at < i.Operands.Length && i.Operands[at].Kind == OperandKind.List) arguments = i.Operands[at++].Items;
        if (callee.Kind == OperandKind.Register)
        {
            string prototype = at < i.Operands.Length ? i.Operands[at].Name : "";
            PtxPrototype wanted = i.Scope.FindPrototype(prototype) ?? throw d.Error(callee.Position, "an indirect call names its .callprototype");
            Call(d, wanted.Results, wanted.Parameters, results, arguments, "the prototype", d.Source(callee, PtxType.U64), -1);
            return true;
        }
        if (callee.Kind != OperandKind.Label) throw d.Error(callee.Position, "a call goes to a function by its name or through a register");
        if (at < i.Operands.Length) throw d.Error(i.Operands[at].Position, "arguments are in parentheses");
        PtxModule module = d.Kernel.Module;
        if (d.Graph.Find(callee.Name) is not { } function)
        {
            if (module.Functions.Exists(f => f.Name == callee.Name)) throw d.Error(callee.Position, $"'{callee.Name}' is an entry; calls go to functions");
            if (!module.Declared.Contains(callee.Name)) throw d.Error(callee.Position, $"function '{callee.Name}' is not defined in this module");
            DeviceRuntime.Decode(d, callee.Name, arguments);
            return true;
        }
        if (d.Graph.IsCalled(function))
        {
            if (function.Parameters.Concat(function.Results).Any(v => v.Register != null)) throw d.Error(callee.Position, $"'{callee.Name}' calls itself; its parameters must be in .param, not in registers");
            Call(d, function.Results, function.Parameters, results, arguments, $"'{callee.Name}'", -1, module.Functions.IndexOf(function));
            return true;
        }
        RequireCounts(d, function.Results, function.Parameters, results, arguments, $"'{callee.Name}'");
        PutInPlace(d, i, function, results, arguments);
        return true;
    }

    private static void RequireCounts(KernelDecoder d, List<PtxVariable> gives, List<PtxVariable> takes, Operand[] results, Operand[] arguments, string name)
    {
        if (arguments.Length != takes.Count || results.Length != gives.Count)
            throw d.Error($"{name} takes {takes.Count} arguments and gives {gives.Count} results, not {arguments.Length} and {results.Length}");
    }

    private static void PutInPlace(KernelDecoder d, PtxInstruction i, PtxFunction function, Operand[] results, Operand[] arguments)
    {
        if (i.Guard >= 0) d.EmitSkip();
        FunctionInstance callee = d.Enter(function);
        for (int k = 0; k < arguments.Length; k++) Bind(d, callee, function.Parameters[k], arguments[k], isResult: false);
        for (int k = 0; k < results.Length; k++) Bind(d, callee, function.Results[k], results[k], isResult: true);
        d.DecodeBody(callee);
        for (int k = 0; k < results.Length; k++) TakeResult(d, callee, function.Results[k], results[k]);
    }

    /// <summary>Copies arguments to a new frame, goes to the function, and copies its results back.</summary>
    private static void Call(KernelDecoder d, List<PtxVariable> gives, List<PtxVariable> takes, Operand[] results, Operand[] arguments, string name, int address, int number)
    {
        RequireCounts(d, gives, takes, results, arguments, name);
        var (resultsAt, parametersAt, end) = Frame.Layout(gives, takes);
        d.EmitCall(&Calls.Call, address, end, Copies(d, arguments, takes, parametersAt), number);
        if (results.Length > 0) d.EmitCall(&Calls.TakeResults, -1, end, Copies(d, results, gives, resultsAt), number);
    }

    private static int[] Copies(KernelDecoder d, Operand[] actual, List<PtxVariable> formal, uint[] offsets)
    {
        var copies = new List<int> { actual.Length };
        for (int k = 0; k < actual.Length; k++)
        {
            PtxVariable variable = RequireParameter(d, formal[k], actual[k]);
            if (actual[k].Bits + (ulong)formal[k].Bytes > (ulong)variable.Bytes)
                throw d.Error(actual[k].Position, $"'{variable.Name}' has {variable.Bytes} bytes, the function takes {formal[k].Bytes}");
            copies.AddRange([(int)(variable.Address + actual[k].Bits), (int)offsets[k], (int)formal[k].Bytes]);
        }
        return [.. copies];
    }

    private static PtxVariable RequireParameter(KernelDecoder d, PtxVariable formal, Operand actual) => actual.Kind == OperandKind.Symbol && actual.Variable!.Space == StateSpace.Param
        ? actual.Variable
        : throw d.Error(actual.Position, $"'{formal.Name}' is in .param; pass a .param variable");

    /// <summary>A <c>.param</c> of the callee is the caller's variable; a <c>.reg</c> is a copy.</summary>
    private static void Bind(KernelDecoder d, FunctionInstance callee, PtxVariable formal, Operand actual, bool isResult)
    {
        if (formal.Register is not { } register)
        {
            formal.Address = RequireParameter(d, formal, actual).Address + actual.Bits;
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
