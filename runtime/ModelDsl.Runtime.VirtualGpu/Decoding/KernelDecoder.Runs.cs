using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

// Runs: what instructions that stand behind each other, and that no branch comes between, can spare each other.
internal sealed unsafe partial class KernelDecoder
{
    private readonly List<int> _lanes = [], _products = [];
    private readonly HashSet<int> _tileLoads = [];

    /// <summary>Emits an instruction of <see cref="Elementwise"/> or <see cref="SingleElementwise"/>.</summary>
    public void EmitLanes(Handler handler, int d, int a, int b = -1, int c = -1)
    {
        _lanes.Add(_code.Count);
        Emit(handler, d, a, b, c);
    }

    /// <summary>Emits a product of <see cref="MatrixMultiply"/>.</summary>
    public void EmitProduct(Handler handler, ReadOnlySpan<int> operands, int steps, bool saturate)
    {
        _products.Add(_code.Count);
        Emit(handler, e: 0, target: (nint)_kernel.Own(operands), imm: saturate ? 1u : 0, slot: steps);
    }

    /// <summary>Emits <c>ldmatrix</c>, whose tiles go to <paramref name="rows"/>.</summary>
    public void EmitTileLoad(Handler handler, int tiles, int address, ReadOnlySpan<int> rows, ulong offset)
    {
        _tileLoads.Add(_code.Count);
        Emit(handler, tiles, address, rows[0], rows[1], rows[2], rows[3], offset);
    }

    private void FindRuns(Span<Instr> code)
    {
        if (_kernel.Checks != VirtualGpuChecks.None) return;
        HashSet<int> targets = [.. _branches.Select(b => b.Instance.Starts[b.Target]), .. _tables.SelectMany(t => t.Targets.Select(target => t.Instance.Starts[target]))];
        for (int n = _lanes.Count - 2; n >= 0; n--)
        {
            ref Instr here = ref code[_lanes[n]], next = ref code[_lanes[n] + 1];
            if (_lanes[n + 1] == _lanes[n] + 1 && IsSame(next, here) && IsAlways(here) && IsAlways(next) && !targets.Contains(_lanes[n] + 1)) here.Slot = next.Slot + 1;
        }
        HashSet<int> products = [.. _products];
        foreach (int place in Enumerable.Reverse(_products))
        {
            ref Instr product = ref code[place];
            ReadOnlySpan<int> a = RowsOf(product, MatrixMultiply.OperandA, 2 * product.Slot);
            for (int at = place - 1; at >= 0 && !targets.Contains(at + 1); at--)
            {
                if (products.Contains(at))
                {
                    if (!IsSameA(code[at], product, a)) break;
                    product.D = MatrixMultiply.SameA;
                    if (at == place - 1 && IsAlways(product) && !RowsOf(product, MatrixMultiply.OperandB, product.Slot).ContainsAny(RowsOf(code[at], 0, MatrixMultiply.OperandA))) code[at].E = product.E + 1;
                    break;
                }
                if (!_tileLoads.Contains(at) || a.ContainsAny(code[at].B, code[at].C, code[at].E) || a.Contains(code[at].F)) break;
            }
        }
    }

    private static bool IsSameA(in Instr before, in Instr product, ReadOnlySpan<int> a) =>
        IsSame(before, product) && before.Slot == product.Slot && IsAlways(before)
        && a.SequenceEqual(RowsOf(before, MatrixMultiply.OperandA, a.Length)) && !a.ContainsAny(RowsOf(before, 0, MatrixMultiply.OperandA));

    private static ReadOnlySpan<int> RowsOf(in Instr product, int from, int count) => new(product.Operands + from, count);

    // A handler with two addresses would only not be found to be the same.
    private static bool IsSame(in Instr one, in Instr other) => (nint)one.Handler == (nint)other.Handler;

    private static bool IsAlways(in Instr instr) => instr.Guard == AlwaysTrue && instr.GuardFlip == 0;
}
