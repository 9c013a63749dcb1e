using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

// Functions: those put in the place of a call, and those that calls go to.
internal sealed unsafe partial class KernelDecoder
{
    /// <summary>Makes ready to put a function in the place of the instruction being decoded.</summary>
    public FunctionInstance Enter(PtxFunction function)
    {
        if (++_copies > MostCalls) throw Error($"the kernel is too large: more than {MostCalls:N0} calls, those inside functions counted each time");
        if ((_registers += function.Registers.Count) > MostRegisters) throw Error($"the kernel is too large: more than {MostRegisters:N0} registers, those of calls counted each time");
        PlacePrivate(function);
        var instance = new FunctionInstance(function, _instance);
        Frame?.Instances.Add(instance);
        return instance;
    }

    /// <summary>Functions that calls go to. They come before the entry, so that threads inside a call run before those that wait for them.</summary>
    private void DecodeFunctions()
    {
        FunctionInstance entry = _instance;
        foreach (PtxFunction function in _graph.Called)
        {
            Frame = new Frame(function, _kernel.Module.Functions.IndexOf(function));
            _frames.Add(Frame);
            _instance = new FunctionInstance(function, null);
            Frame.Instances.Add(_instance);
            Frame.PlaceParameters();
            PlacePrivate(function);
            Frame.Start = _code.Count;
            DecodeBody(_instance);
            _instruction = new PtxInstruction(function.Position, ["ret"], -1, false, [], new PtxScope(null));
            EmitReturn();
        }
        Frame = null;
        _instance = entry;
    }

    /// <summary>Lays out the frames of called functions and tells calls and returns of them.</summary>
    private void Link(Instr* code)
    {
        var functions = (FunctionRecord*)_kernel.Own(new int[_kernel.Module.Functions.Count * sizeof(FunctionRecord) / sizeof(int)]);
        uint deepest = 0;
        foreach (Frame frame in _frames)
        {
            FunctionRecord* record = functions + frame.Number;
            record->Code = code + frame.Start;
            record->ParameterEnd = frame.ParameterEnd;
            if (_graph.IsRecursive(frame.Function)) KeepRows(frame, record);
            record->FrameBytes = frame.Bytes = Align(frame.Bytes, 16);
            deepest += frame.Bytes;
        }
        foreach (var (place, from) in _calls)
        {
            code[place].E = (int)(from?.Bytes ?? _kernel.LocalBytes);
            code[place].Imm = (ulong)functions;
        }
        foreach (int place in _returns) code[place].Imm = (ulong)functions;
        // Without recursion no function is active twice.
        _kernel.LocalBytes = Align(_kernel.LocalBytes + (_frames.Exists(f => _graph.IsRecursive(f.Function)) ? Math.Max(StackBytes, deepest) : deepest), 16);
    }

    private void KeepRows(Frame frame, FunctionRecord* record)
    {
        var rows = new List<int>[3] { [], [], [] };
        foreach (FunctionInstance instance in frame.Instances)
        {
            for (int i = 0; i < instance.Rows.Length; i++)
            {
                PtxType type = instance.Function.Registers[i];
                if (instance.Rows[i] >= 0) rows[type == PtxType.Pred ? 2 : type.Size() == 8 ? 0 : 1].Add(instance.Rows[i]);
            }
        }
        (record->Wide, record->Narrow, record->Predicates) = (rows[0].Count, rows[1].Count, rows[2].Count);
        record->Rows = _kernel.Own([.. rows[0], .. rows[1], .. rows[2], 0]);
        record->RowsAt = Align(frame.Bytes, 8);
        frame.Bytes = record->RowsAt + (uint)(8 * rows[0].Count + 4 * rows[1].Count + rows[2].Count);
    }
}
