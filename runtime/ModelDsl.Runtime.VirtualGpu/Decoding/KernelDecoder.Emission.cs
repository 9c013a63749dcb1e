using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

// Emission: decoded instructions, branches and calls behind each other.
internal sealed unsafe partial class KernelDecoder
{
    /// <summary>Emits an instruction under the guard of the PTX instruction being decoded.</summary>
    public void Emit(Handler handler, int d = -1, int a = -1, int b = -1, int c = -1, int e = -1, int f = -1, ulong imm = 0, nint target = 0, int slot = 0)
    {
        if (_code.Count >= MostInstructions) throw Error($"the kernel is too large: more than {MostInstructions:N0} instructions, calls written out");
        _kernel.Classes.Add(InstructionClasses.Of(_instruction));
        _code.Add(new Instr
        {
            Handler = handler,
            Guard = _instruction.Guard < 0 ? AlwaysTrue : Register(_instruction.Guard),
            GuardFlip = _instruction.GuardNegated ? Lanes.All : 0,
            D = d, A = a, B = b, C = c, E = e, F = f,
            Imm = imm, Target = target, Slot = slot, Source = _instruction.Position,
        });
    }

    public void EmitBranch(Operand label)
    {
        if (label.Kind != OperandKind.Label) throw Error(label.Position, "a label is wanted here");
        int target = _instruction.Scope.FindLabel(label.Name) ?? throw Error(label.Position, $"label '{label.Name}' is not defined");
        _branches.Add((_code.Count, _instance, target));
        Emit(&Control.Branch);
    }

    /// <summary>The end of a thread in an entry; in a function the way to its end.</summary>
    public void EmitReturn()
    {
        if (_instance.Caller == null)
        {
            if (Frame is { } frame)
            {
                _returns.Add(_code.Count);
                Emit(&Calls.Return, FrameRow, slot: frame.Number);
            }
            else
            {
                Emit(&Control.Exit);
            }
            return;
        }
        _branches.Add((_code.Count, _instance, _instance.Function.Instructions.Count));
        Emit(&Control.Branch);
    }

    /// <summary>Takes threads whose guard does not hold past what this PTX instruction becomes.</summary>
    public void EmitSkip()
    {
        _branches.Add((_code.Count, _instance, _instance.Current + 1));
        Emit(&Control.Branch);
        CollectionsMarshal.AsSpan(_code)[^1].GuardFlip ^= Lanes.All;
    }

    /// <summary>Emits an indexed branch to labels of this function.</summary>
    public void EmitBranchTable(int index, Operand[] labels)
    {
        int[] targets = [.. labels.Select(label => _instruction.Scope.FindLabel(label.Name) ?? throw Error(label.Position, $"label '{label.Name}' is not defined"))];
        _tables.Add((_code.Count, _instance, targets));
        Emit(&Calls.BranchIndexed, a: index, target: (nint)_kernel.Own(new int[targets.Length + 1]));
    }

    /// <summary>Emits an instruction whose E will be the size of the caller's frame and whose <c>Imm</c> the table of functions.</summary>
    public void EmitCall(Handler handler, int address, uint parameterEnd, ReadOnlySpan<int> copies, int slot)
    {
        _calls.Add((_code.Count, Frame));
        Emit(handler, FrameRow, address, c: (int)parameterEnd, f: _kernel.Module.Functions.Count, target: (nint)_kernel.Own(copies), slot: slot);
    }

    /// <summary>Puts an instruction that checks before the one being decoded, and one behind it where it has to be resumed from.</summary>
    private void DecodeChecked()
    {
        CheckSite? outer = Site;
        int guard = _instruction.Guard < 0 ? AlwaysTrue : Register(_instruction.Guard);
        var site = new CheckSite(_kernel.Sites.Count, _instruction, guard);
        _kernel.Sites.Add(site);
        Site = site;
        _kernel.Classes.Add(InstructionClass.Control);
        _code.Add(new Instr { Handler = &CheckHandlers.Before, D = CheckHandlers.BeforeMark, Slot = site.Index, Source = _instruction.Position });
        InstructionDecoder.Decode(this);
        CheckSiteDecoder.Complete(this, site);
        if (site.Kind is SiteKind.Barrier or SiteKind.ClusterWait)
        {
            _kernel.Classes.Add(InstructionClass.Control);
            _code.Add(new Instr { Handler = &CheckHandlers.After, Slot = site.Index, Source = _instruction.Position });
        }
        Site = outer;
    }

    /// <summary>Puts a check before one of several accesses that the instruction becomes.</summary>
    public void EmitCheck(SiteKind kind, SiteAddress address, int bytes)
    {
        if (Site == null) return;
        var part = new CheckSite(_kernel.Sites.Count, _instruction, Site.Guard) { Kind = kind, Bytes = bytes };
        part.Addresses.Add(address);
        _kernel.Sites.Add(part);
        _kernel.Classes.Add(InstructionClass.Control);
        _code.Add(new Instr { Handler = &CheckHandlers.Before, D = CheckHandlers.BeforeMark, Slot = part.Index, Source = _instruction.Position });
    }

    /// <summary>A new entry for the allocation cache.</summary>
    public int NewRange() => _kernel.RangeCount++;
}
