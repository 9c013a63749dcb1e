using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// The A of the last <c>mma.sync</c> that a block ran, as single-precision columns. A product of tiles takes the same A for many
/// columns of B, one instruction after the other: comparing four registers is much less work than widening them again.
/// </summary>
internal unsafe struct WidenedMatrix
{
    private const int MaxRegisters = 4, Lanes = 32, MaxFloats = 512;

    /// <summary>Elements of the largest B.</summary>
    public const int MaxRowFloats = 256;

    // Vectors first, for their alignment.
    private fixed float _columns[MaxFloats];
    private fixed float _rows[2 * MaxRowFloats];
    private fixed uint _registers[MaxRegisters * Lanes];

    // The handler stands for the format, its steps for the size.
    private nint _handler, _steps;

    public readonly float* Columns => (float*)Unsafe.AsPointer(ref Unsafe.AsRef(in _columns[0]));

    /// <summary>Room for the B of two products, row by row.</summary>
    public readonly float* Rows => (float*)Unsafe.AsPointer(ref Unsafe.AsRef(in _rows[0]));

    /// <summary>Whether it is what the instruction needs. If not, it is from now on, and the caller writes <see cref="Columns"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool Holds(byte* r, Instr* i)
    {
        int* operands = i->Operands;
        int registers = 2 * i->Slot;
        Vector256<uint> difference = (nint)i->Handler == _handler && i->Slot == _steps ? default : Vector256<uint>.AllBitsSet;
        fixed (uint* held = _registers)
        {
            for (int n = 0; n < registers; n++)
            {
                uint* register = (uint*)(r + operands[MatrixMultiply.OperandA + n]), known = held + n * Lanes;
                difference |= (Vector256.Load(register) ^ Vector256.Load(known)) | (Vector256.Load(register + 8) ^ Vector256.Load(known + 8));
                difference |= (Vector256.Load(register + 16) ^ Vector256.Load(known + 16)) | (Vector256.Load(register + 24) ^ Vector256.Load(known + 24));
            }
            if (difference == default) return true;
            for (int n = 0; n < registers; n++) Instructions.Rows.Copy(r + operands[MatrixMultiply.OperandA + n], (byte*)(held + n * Lanes), Lanes * sizeof(uint));
            (_handler, _steps) = ((nint)i->Handler, i->Slot);
            return false;
        }
    }
}
